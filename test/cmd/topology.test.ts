import t from 'tap';
import { drawDot, drawMermaid, drawText, toTopology } from '../../cmd/topology.ts';
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

t.test('Graphviz and Mermaid have each link once, and no name leaves its quotes', async (t) => {
  const dot = drawDot(topology);
  t.ok(dot.includes('  "10.0.0.6:6379" -> "10.0.0.5:6379" [label="replicates"];'));
  t.match(drawMermaid(topology).join('\n'), /^graph LR\n[\s\S]* -\.->\|differs\| /);
  const odd = toTopology([{ ...master, name: 'a"]; x["', sentinels: [] }], []);
  t.match(drawDot(odd)[3], '"a\\"]; x[\\""');
  t.match(drawMermaid(odd)[1], '["a#34;]; x[#34;"]');
});

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
  t.match(await runCommand(['topology', ...api]), { code: 0, stdout: /^shard1 {2}master\n├─ 10\.0\.0\.5:6379\n/ });
  t.match(await runCommand(['topology', 'nobody', ...api]), { code: 1, stderr: /not-found/ });
});
