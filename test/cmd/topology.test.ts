import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { drawStatus } from '../../cmd/status-tree.ts';
import { drawDot, drawMermaid, drawText, toTopology } from '../../cmd/topology.ts';
import { version } from '../../cmd/version.ts';
import { Journal } from '../../lib/telemetry/journal.ts';
import { listen, serve } from '../http/serve.ts';
import { exampleMaster, exampleViews } from '../http/views.ts';
import { exampleReport } from '../telemetry/report.ts';
import { runCommand } from './command.ts';

const master = { ...exampleMaster, lastOutcome: null };
const [vote] = master.sentinels;
if (vote === undefined) throw new Error('one');
const differing = {
  ...vote,
  address: { host: '10.0.0.7', port: 26379 },
  master: { host: '10.0.0.6', port: 6379 },
  agrees: false,
};
const lost = { ...vote, address: { host: '10.0.0.8', port: 26379 }, master: null, agrees: null };
const topology = toTopology([{ ...master, sentinels: [vote, differing, lost] }], []);

t.test('text has the master with its replicas, and what each Sentinel says', async (t) => {
  t.strictSame(drawText(topology), [
    'shard1  master',
    '├─ 10.0.0.5:6379',
    '│  └─ replica 10.0.0.6:6379',
    '├─ sentinel 10.0.0.5:26379  agrees',
    '├─ sentinel 10.0.0.7:26379  names 10.0.0.6:6379',
    '└─ sentinel 10.0.0.8:26379  unreachable',
  ]);
});

t.test('a Sentinel that does not monitor the master is not called unreachable, as in status', async (t) => {
  const unaware = { ...lost, state: 'unaware' as const };
  t.equal(
    drawText(toTopology([{ ...master, sentinels: [unaware] }], [])).at(-1),
    '└─ sentinel 10.0.0.8:26379  unaware',
  );
});

t.test('slots have one form in topology and status', async (t) => {
  const record = {
    ...({ version: 1, name: 'sessions', epoch: 3, state: 'ok', changedAt: '2026-11-29T00:00:00.000Z' } as const),
    ...{ uncovered: [{ from: 7, to: 7 }], changedBy: 'web-1/1' },
    shards: [
      {
        slots: [
          { from: 0, to: 4 },
          { from: 5, to: 5 },
        ],
        master: { host: '10.0.0.1', port: 7000 },
        replicas: [],
      },
      { slots: [], master: { host: '10.0.0.2', port: 7000 }, replicas: [] },
    ],
  };
  const cluster = {
    name: 'sessions',
    record,
    problem: null,
    unwell: [],
    crashes: [],
    maintenance: null,
    nodes: [],
    lastOutcome: null,
  };
  const [, ...shards] = drawText(toTopology([], [cluster]));
  t.strictSame(shards, ['├─ slots 0-4, 5  10.0.0.1:7000', '└─ no slots  10.0.0.2:7000']);
  const health = { level: 'well', reasons: [] } as const;
  const status = { health: { ...health, reasons: [] }, masters: [], desired: [], instances: [], templates: [] };
  const drawn = drawStatus({ ...status, clusters: [cluster] }, { parts: 'all', nowMs: 0 });
  t.strictSame(drawn.slice(0, 3), ['sessions  cluster  ok, no master of slots 7  epoch 3', ...shards]);
});

t.test('Graphviz and Mermaid have each link once, and no name leaves its quotes', async (t) => {
  const dot = drawDot(topology);
  t.ok(dot.includes('  "10.0.0.6:6379" -> "10.0.0.5:6379" [label="replicates"];'));
  t.match(drawMermaid(topology).join('\n'), /^graph LR\n[\s\S]* -\.->\|differs\| /);
  const odd = toTopology([{ ...master, name: 'a"]; x["', sentinels: [] }], []);
  t.match(drawDot(odd)[3], '"a\\"]; x[\\""');
  t.match(drawMermaid(odd)[1], '["a#34;]; x[#34;"]');
});

t.test(
  'an answer of another version names both versions and what to type, and another program is named as such',
  async (t) => {
    const live = (version: string) => JSON.stringify({ live: true, version, uptimeSeconds: 1 });
    for (const [body, message] of [
      [live(version), /has the version of this command .* see the answer with curl http:\/\/127\S+\/v1\/masters \(/],
      [live('0.0.9'), /\(version 0\.0\.9\) does not answer as this command .* run systemctl restart switchmaster/],
      ['<html>', /\/v1\/masters does not answer as a switchmaster does/],
    ] as const) {
      const server = createServer((request, response) =>
        response.end(request.url === '/live' ? body : JSON.stringify({ masters: [{}, {}], clusters: [] })),
      );
      t.teardown(() => server.close());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const api = ['--api', `http://127.0.0.1:${(server.address() as AddressInfo).port}`];
      const { code, stdout } = await runCommand(['topology', '--json', ...api]);
      const { error } = JSON.parse(stdout);
      t.match(
        { code, error },
        { code: 1, error: { code: 'api-unreachable', message, causes: [/^masters\.0\.\w+: .* more\)$/] } },
      );
    }
  },
);

t.test('the commands ask the API: events by age, loop and key', async (t) => {
  let nowMs = Date.now() - 7_200_000;
  const journal = new Journal({ capacity: 100, now: () => nowMs });
  journal.observe(exampleReport({ kind: 'applied', summary: 'long ago' }));
  nowMs = Date.now();
  journal.observe(exampleReport({ kind: 'applied', summary: 'now' }));
  journal.observe(exampleReport({ kind: 'applied', summary: 'written' }, { loop: 'renderer', key: 'a.cfg' }));
  const { server } = serve(t, exampleViews({ masters: [exampleMaster], journal }));
  const api = ['--api', `http://127.0.0.1:${await listen(server)}`];
  const events = async (...more: readonly string[]) => {
    const { stdout } = await runCommand(['events', '--json', ...more, ...api]);
    return JSON.parse(stdout).entries.map(({ summary }: { summary: string }) => summary);
  };
  t.strictSame(await events(), ['long ago', 'now', 'written']);
  t.strictSame(await events('--since', '1h'), ['now', 'written']);
  t.strictSame(await events('shard1', '--since', new Date(nowMs - 60_000).toISOString()), ['now']);
  t.strictSame(await events('--loop', 'renderer'), ['written']);
  t.equal((await runCommand(['events', '--since', 'soon', ...api])).code, 2);
  t.match(await runCommand(['events', 'nothing', ...api]), { code: 0, stdout: 'The journal has no such entry.' });
  const stderr = async (...argv: readonly string[]) => (await runCommand([...argv, ...api])).stderr;
  t.match(await stderr('events', 'shrad1'), /^The journal has no key shrad1 \(did you mean shard1\?\)$/m);
  t.match(
    await stderr('events', '--loop', 'rendrer'),
    /^The journal has no loop rendrer \(did you mean renderer\?\)$/m,
  );
  t.match(await stderr('events', '--loop', 'zzz'), /^The journal has no loop zzz \(it has .*renderer/m);
  t.notOk(await stderr('events', 'shard1', '--since', '2100-01-01'), 'a known key without events');
  t.match(await stderr('topology', 'shrad1'), /did you mean shard1\?/);
  t.match(await runCommand(['topology', ...api]), { code: 0, stdout: /^shard1 {2}master\n├─ 10\.0\.0\.5:6379\n/ });
  t.match(await runCommand(['topology', 'nobody', ...api]), { code: 1, stderr: /not-found/ });
});
