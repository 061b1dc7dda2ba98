import t from 'tap';
import { describeClusterFailovers } from '../../lib/http/cluster-stories.ts';
import { whyAnswer } from '../../lib/http/shapes.ts';
import { Journal } from '../../lib/telemetry/journal.ts';
import { exampleReport } from '../telemetry/report.ts';
import { brokenCluster } from './page/world.ts';
import { serve } from './serve.ts';
import { exampleViews } from './views.ts';

const summary = '10.0.0.1:7000 has crashed: its host refuses connections. Ordered 10.0.0.2:7000 to take over';
const crash = {
  cause: 'crash',
  master: '10.0.0.1:7000',
  replica: '10.0.0.2:7000',
  sign: { kind: 'refused', refusals: 4, forMs: 61 },
  stages: { provenMs: 70.2, orderedMs: 91 },
  bridges: [{ bridge: 'web-1', place: 'beside', sees: 'crash' }],
  nodes: [{ node: '10.0.0.3:7000', link: 'disconnected', health: 'ok' }],
  replicas: [{ address: '10.0.0.2:7000', link: 'down', offset: 900 }],
};
const recordOf = (host: string) => ({ epoch: 9, shards: [{ slots: [], master: { host, port: 7000 }, replicas: [] }] });

function journalOf(): Journal {
  const journal = new Journal({ capacity: 100 });
  const note = (loop: string, details: object, text: string) =>
    journal.observe(
      exampleReport({ kind: 'applied', summary: text, details: { ...details } }, { loop, key: 'sessions' }),
    );
  note('cluster', { cause: 'cluster', record: recordOf('10.0.0.1') }, 'first seen');
  note('cluster-crash', crash, summary);
  note('cluster', { cause: 'cluster', record: recordOf('10.0.0.2') }, 'a master changed');
  const [from, to] = [1, 2].map((n) => ({ host: `10.0.0.${n}`, port: 7000 }));
  note('cluster-failover', { cause: 'planned', from: to, to: from, epoch: 10, stages: { confirmed: 80 } }, 'planned');
  return journal;
}

t.test('why a cluster changed: each order with its evidence', async (t) => {
  const { server } = serve(t, exampleViews({ clusters: [brokenCluster], journal: journalOf() }));
  const answer = whyAnswer.parse((await server.inject('/v1/why/sessions')).json());
  t.match(answer, { record: null, cluster: { epoch: 9 }, maintenance: null });
  const [ordered, planned] = answer.failovers;
  t.match(ordered, { from: '10.0.0.1:7000', to: '10.0.0.2:7000', epoch: 9 });
  t.match(ordered?.lines, [
    /failover: 10\.0\.0\.1:7000 → 10\.0\.0\.2:7000, epoch 9$/,
    `seen down by: this daemon (${summary})`,
    'led by: the cluster',
    /^took: proven after 70.2 ms, ordered after 91 ms, in Consul \d+ ms later$/,
    /^evidence: Its host refused 4 connections within 61 ms. Bridge web-1 beside it saw the crash. Node 10.0.0.3:7000 had no/,
  ]);
  t.match(planned?.lines[0], /planned failover: 10\.0\.0\.2:7000 → 10\.0\.0\.1:7000, epoch 10$/);
  t.strictSame(
    answer.others.map(({ summary }) => summary),
    ['a master changed', 'first seen'],
  );
  t.equal((await server.inject('/v1/why/nobody')).statusCode, 404);
});

t.test('an order whose entry is cut does not fail', async (t) => {
  const entries = journalOf().list({ loop: ['cluster-crash'], limit: 1 });
  const stories = describeClusterFailovers(entries.map((entry) => ({ ...entry, details: {} })));
  t.match(stories, [{ from: null, to: 'not known' }]);
});

t.test('a failover back has the record after it, not the one from before the first failover', async (t) => {
  const entries = journalOf().list({ limit: 100 });
  const [first] = entries.filter(({ loop }) => loop === 'cluster-failover');
  if (first === undefined) throw new Error('no planned failover');
  const after = { ...first, loop: 'cluster', details: { record: recordOf('10.0.0.1') } };
  const atOf = (ms: number) => new Date(Date.parse(first.at) + ms).toISOString();
  const inOrder = [{ ...after, at: atOf(-5_000) }, first, { ...after, at: atOf(700) }];
  const [story] = describeClusterFailovers(inOrder.toReversed());
  t.equal(story?.lines.at(-1), 'took: confirmed after 80 ms, in Consul 700 ms later');
});
