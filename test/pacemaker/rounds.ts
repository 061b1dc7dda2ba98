// Two hosts with Pacemaker, in a network of their own: started by main.ts. argv: a part of a case's name, or nothing.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildDeb } from '../../packaging/deb.ts';
import { stepsOf } from '../docs/guides/steps.ts';
import { type ReaderMachine, walk } from '../docs/guides/walk.ts';
import { readPage } from '../docs/pages.ts';
import { playAll } from '../pair/failure.ts';
import { guideAddresses, guideConfig } from '../pair/guide.ts';
import { applicationAtTheAddress, layNetwork, serverNetwork } from '../pair/network.ts';
import { waitFor } from '../sandbox/condition.ts';
import { requireOwnNetwork } from '../sandbox/namespace.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { chooseCases, type PacemakerStage } from './cases.ts';
import { ClusterNode } from './node.ts';

const page = 'docs/guide/pacemaker.md';
const failures = chooseCases(process.argv[2] ?? '');
requireOwnNetwork();
await layNetwork();
const folder = await mkdtemp(path.join(tmpdir(), 'switchmaster-pacemaker-'));
const nodes: ClusterNode[] = [];
const sandbox = await Sandbox.open({ name: 'pacemaker', network: serverNetwork });
let wrong: readonly string[] = [];
try {
  wrong = await follow();
} catch (error) {
  wrong = [String(error)];
  console.error(error, sandbox.logTails({ lines: 10 }));
  for (const node of nodes) {
    const { output } = await node
      .run('crm_mon -1rf; journalctl --no-pager -n 80')
      .catch((reason) => ({ output: String(reason) }));
    console.error(`--- ${node.name}\n${output}`);
  }
}
await sandbox.close();
for (const node of nodes) await node.close();
await rm(folder, { recursive: true, force: true });
process.exit(wrong.length > 0 ? 1 : 0);

async function follow(): Promise<readonly string[]> {
  const deb = await buildDeb({ folder, compression: 'fast' });
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 0 })]);
  const sentinels = await sandbox.sentinels({ masters: [shard], count: 1, quorum: 1 });
  const addresses = sentinels.map(({ address }) => address);
  for (const [i, address] of guideAddresses.hosts.entries()) {
    const node = await ClusterNode.open({ name: `lb${i + 1}`, address, deb });
    nodes.push(node);
    await setUpProxy(node, guideConfig({ own: address, consul: consul.url, sentinels: addresses, setUp: 'files' }));
  }
  const [first, second] = nodes;
  if (first === undefined || second === undefined) throw new Error('there are no two nodes');
  const machines = new Map([
    [first.name, copyingKey(first, second)],
    [second.name, second],
  ]);
  const { deviation } = await walk(stepsOf(await readPage(page)), { machines }, (text) => process.stdout.write(text));
  if (deviation !== undefined) throw new Error(`${page}:${deviation.line}: ${deviation.text}`);
  const stage: PacemakerStage = {
    consul,
    hosts: [first, second],
    master: shard.master,
    writer: applicationAtTheAddress(),
    untilWell: () => untilAllRuns(nodes),
    // Pacemaker waits 10 s for each.
    slowChecks: () => 0,
  };
  return playAll(stage, failures);
}

/** What the page takes from that of the pair with keepalived. */
async function setUpProxy(node: ClusterNode, config: object): Promise<void> {
  const { templates, ...others } = config as { readonly templates: readonly { readonly source: string }[] };
  const without = { ...others, templates: templates.filter(({ source }) => source !== 'keepalived.conf.hbs') };
  node.write('/etc/switchmaster/switchmaster.yml', JSON.stringify(without));
  await node.must('systemctl enable --now haproxy');
  await node.must('systemctl restart switchmaster');
  await waitFor(`${node.name} to adopt its file`, () =>
    node.must('switchmaster render --config /etc/switchmaster --adopt --timeout 60').then(() => true),
  );
}

/** A reader who also copies the key of Corosync to the other host, as the page says it in its text. */
function copyingKey(first: ClusterNode, second: ClusterNode): ReaderMachine {
  return {
    async run(script) {
      const finished = await first.run(script);
      if (script.startsWith('corosync-keygen')) first.copy('/etc/corosync/authkey', second);
      return finished;
    },
    write: (file, content) => first.write(file, content),
    listens: () => false,
  };
}

async function untilAllRuns(all: readonly ClusterNode[]): Promise<void> {
  const started = `Started: [ ${all.map(({ name }) => name).join(' ')} ]`;
  await waitFor(
    'the clones to run on both hosts',
    () => Promise.all(all.map((node) => node.must('crm_mon --one-shot'))),
    { timeoutMs: 300_000, intervalMs: 500, until: (texts) => texts.every((text) => text.split(started).length === 3) },
  );
}
