import t from 'tap';
import { ConsulClient } from '../../lib/client/consul.ts';
import { helpers } from '../../lib/template/helpers.ts';
import { describeMistakes, formatTable, readTable } from './differences.ts';
import type { Outcome } from './outcome.ts';
import { pairs } from './pairs.ts';
import { readRecorded } from './recorded.ts';
import { startReplay } from './replay.ts';
import { SwitchmasterSide } from './switchmaster.ts';

/*
 * What `npm run test:consul-template` recorded: Consul's answers, and what consul-template made of each template with them.
 */
const { at, results, answers } = readRecorded();
const theirs = pairs.flatMap(({ consulTemplate }): Outcome[] => {
  const result = results[consulTemplate];
  return result === undefined ? [] : [result];
});

async function renderOurs(): Promise<readonly Outcome[]> {
  const replay = await startReplay(answers);
  const client = new ConsulClient(replay);
  const side = new SwitchmasterSide(client, new Date(at));
  const outcomes: Outcome[] = [];
  for (const pair of pairs) outcomes.push(await side.render(pair));
  client.close();
  replay.close();
  return outcomes;
}

t.test('templates give what consul-template gives, except for the differences that the docs list', async (t) => {
  t.equal(theirs.length, pairs.length, 'record again: npm run test:consul-template -- --write');
  const ours = await renderOurs();
  t.strictSame(describeMistakes(pairs, { theirs, ours }), []);
  t.equal(await readTable(), formatTable(pairs, { theirs, ours }), 'npm run test:consul-template -- --write');
});

/** Names that consul-template does not have. */
const native =
  /^(?:redis.*|if|unless|each|with|default|lookup|words|length|raw|haproxyDefaults|keyBase64|sha256|startsWith|endsWith|.*Name)$/;

t.test('every helper that consul-template has too is compared with it', async (t) => {
  const calls = pairs.map(({ switchmaster }) => switchmaster).join('\n');
  for (const name of Object.keys(helpers).filter((one) => !native.test(one))) {
    t.match(calls, new RegExp(`[({ #]${name.replace('.', '\\.')}[ )}]`), name);
  }
});
