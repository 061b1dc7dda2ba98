import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { LagHistory } from '../../../lib/bridge/plan/lag.ts';

const a = '10.0.0.6:6379';
const sample = (atMs: number, master: number, replica?: number) => ({
  atMs,
  master,
  replicas: new Map(replica === undefined ? [] : [[a, replica]]),
});

t.test('the lag is unknown before a server answers', async (t) => {
  const history = new LagHistory();
  t.equal(history.lag(a, 0), undefined);
  history.add(sample(1_000, 50));
  t.equal(history.lag(a, 1_000), undefined, 'of a replica whose link is down');
});

t.test('a replica is as far behind as the newest sample of its master that it has reached', async (t) => {
  const history = new LagHistory();
  for (const [atMs, master] of [
    [1_000, 100],
    [2_000, 200],
    [3_000, 300],
  ] as const)
    history.add(sample(atMs, master, 100));
  t.strictSame(history.lag(a, 3_000), { bytes: 200, behindMs: 2_000 });
  history.add(sample(4_000, 400, 250));
  t.strictSame(history.lag(a, 4_500), { bytes: 150, behindMs: 2_500 });
  history.add(sample(5_000, 500, 500));
  t.strictSame(history.lag(a, 5_000), { bytes: 0, behindMs: 0 });
});

t.test('a replica that answered after its master is not ahead', async (t) => {
  const history = new LagHistory();
  history.add(sample(1_000, 100, 120));
  t.strictSame(history.lag(a, 1_010), { bytes: 0, behindMs: 10 });
});

t.test('while no server answers, the lag grows', async (t) => {
  const history = new LagHistory();
  history.add(sample(1_000, 100, 100));
  t.strictSame(history.lag(a, 9_000), { bytes: null, behindMs: 8_000 });
});

t.test('a lag longer than the history has no age', async (t) => {
  const history = new LagHistory();
  history.add(sample(1_000, 100, 40));
  t.strictSame(history.lag(a, 1_000), { bytes: 60, behindMs: null });
  for (let i = 0; i < 400; i += 1) history.add(sample(2_000 + i * 1_000, 200 + i, 200));
  t.equal(history.lag(a, 401_000)?.behindMs, null);
});

t.test('an offset that falls begins a new history', async (t) => {
  const history = new LagHistory();
  history.add(sample(1_000, 1_000, 1_000));
  history.add(sample(2_000, 10, 1_000));
  t.strictSame(history.lag(a, 2_000), { bytes: 0, behindMs: 0 });
  history.add(sample(3_000, 20, 5));
  t.strictSame(history.lag(a, 3_000), { bytes: 15, behindMs: null });
});

t.test('a master to which nothing is written has one sample, so what it had before is not forgotten', async (t) => {
  const history = new LagHistory();
  history.add(sample(1_000, 100, 100));
  for (let i = 0; i < 400; i += 1) history.add(sample(2_000 + i * 1_000, 200, 100));
  t.strictSame(history.lag(a, 401_000), { bytes: 100, behindMs: 400_000 });
});

t.test('a full history takes few bytes, because a daemon has one for each of a thousand masters', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  const histories = Array.from({ length: 100 }, () => new LagHistory());
  for (const history of histories) for (let i = 0; i < 300; i += 1) history.add(sample(i * 1_000, i, i));
  const each = (used() - before) / histories.length;
  t.ok(each < 12_000, `${Math.round(each)} bytes each`);
  t.match(histories.at(-1)?.lag(a, 299_000), { bytes: 0, behindMs: 0 });
});
