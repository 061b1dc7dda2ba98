// Renders pairs of templates with consul-template and with switchmaster, on the same Consul, and fails on a difference that
// docs/reference/templates.md does not list: npm run test:consul-template. With `-- --write`, it also records the results
// for `npm test` and writes the table in the docs. Needs Go to build consul-template.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { consulTemplateVersion, installConsulTemplate } from '../../bench/consul-template.ts';
import { ConsulClient } from '../../lib/client/consul.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { ConsulTemplateSide } from './consul-template.ts';
import { keys, registrations } from './data.ts';
import { describeMistakes, writeTable } from './differences.ts';
import type { Outcome } from './outcome.ts';
import type { Pair } from './pair.ts';
import { pairs } from './pairs.ts';
import { type Recorded, recordedPath } from './recorded.ts';
import { type Recording, startRecorder } from './replay.ts';
import { SwitchmasterSide } from './switchmaster.ts';

const jobs = 2;
const now = new Date();
const report = (line: string) => void process.stderr.write(`${line}\n`);

const program = await installConsulTemplate(report);
const version = await consulTemplateVersion(program);
const sandbox = await Sandbox.open({ name: 'consul-template' });
const folder = await mkdtemp(join(tmpdir(), 'consul-template-'));
try {
  const consul = await sandbox.consul({ config: { node_id: '33333333-3333-3333-3333-333333333333' } });
  for (const [key, value] of Object.entries(keys)) await consul.putKey(key, value);
  for (const body of registrations) await consul.put('/v1/catalog/register', body);
  const side = new ConsulTemplateSide({ program, consul: consul.url, folder });
  const theirs = await renderAll(pairs, (pair) => side.render(pair));
  const answers: Recording = {};
  const ours = await renderOurs(consul.url, answers);
  const mistakes = describeMistakes(pairs, { theirs, ours });
  for (const mistake of mistakes) report(mistake);
  report(`consul-template ${version}: ${pairs.length} pairs, ${mistakes.length} differences that are not listed`);
  if (process.argv.includes('--write')) {
    const recorded: Recorded = { version, at: now.toISOString(), results: toRecord(theirs), answers };
    await writeFile(recordedPath, `${JSON.stringify(recorded, null, 2)}\n`);
    await writeTable(pairs, { theirs, ours });
  }
  process.exitCode = mistakes.length === 0 ? 0 : 1;
} finally {
  await sandbox.close();
  await rm(folder, { recursive: true });
}

async function renderOurs(consul: string, answers: Recording): Promise<readonly Outcome[]> {
  const recorder = await startRecorder(consul, answers);
  const client = new ConsulClient(recorder);
  try {
    const side = new SwitchmasterSide(client, now);
    return await renderAll(pairs, (pair) => side.render(pair));
  } finally {
    client.close();
    recorder.close();
  }
}

async function renderAll(all: readonly Pair[], render: (pair: Pair) => Promise<Outcome>): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...all.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      outcomes[next[0]] = await render(next[1]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return outcomes;
}

function toRecord(outcomes: readonly Outcome[]): Recorded['results'] {
  return Object.fromEntries(outcomes.map((outcome, i) => [pairs[i]?.consulTemplate ?? '', outcome]));
}
