import t from 'tap';
import { roleAnswer } from '../../lib/http/shapes.ts';
import { serve } from './serve.ts';
import { exampleMaster, exampleViews } from './views.ts';

const second = {
  ...exampleMaster,
  name: 'shard2',
  record: exampleMaster.record && {
    ...exampleMaster.record,
    name: 'shard2',
    master: { host: '::1', port: 6380 },
    replicas: [],
  },
};
const unknown = { ...exampleMaster, name: 'shard3', record: null };
const views = exampleViews({ masters: [exampleMaster, second, unknown] });

const cases: readonly (readonly [url: string, status: number])[] = [
  ['/check/master?address=10.0.0.5:6379', 200],
  ['/check/master?address=10.0.0.5:6379&name=shard1', 200],
  ['/check/master?address=10.0.0.5:6379&name=shard2', 503],
  ['/check/master?address=10.0.0.6:6379', 503],
  ['/check/master?address=[::1]:6380', 200],
  ['/check/master?address=10.0.0.5:6380', 503],
  ['/check/replica?address=10.0.0.6:6379', 200],
  ['/check/replica?address=10.0.0.5:6379', 503],
  ['/check/master', 400],
  ['/check/master?address=', 400],
  ['/check/master?address=10.0.0.5', 400],
  ['/check/master?address=10.0.0.5:6379&address=10.0.0.5:6379', 400],
  ['/check/master?address=10.0.0.5:6379&maxLag=10', 400],
];

t.test('a check is 200 only for the role that the record names', async (t) => {
  const { server } = serve(t, views);
  for (const [url, status] of cases) t.equal((await server.inject(url)).statusCode, status, url);
});

t.test('a check knows every spelling of the same host', async (t) => {
  const at = (host: string) => ({ host, port: 6379 });
  const spelled = (host: string) =>
    exampleMaster.record && { ...exampleMaster.record, master: at(host), replicas: [at(host)] };
  const table: readonly (readonly [recorded: string, asked: readonly string[]])[] = [
    ['redis-0.example', ['redis-0.example', 'Redis-0.Example', 'redis-0.example.']],
    ['REDIS-0.example.', ['redis-0.example']],
    ['10.0.0.5', ['10.0.0.5', '[::ffff:10.0.0.5]', '[::FFFF:a00:5]']],
    ['::ffff:10.0.0.5', ['10.0.0.5']],
    ['FD00:0:0:0::5', ['[fd00::5]', '[fd00:0000::0005]']],
  ];
  for (const [recorded, asked] of table) {
    const asSpelled = (_: string, { host }: { host: string }) =>
      host === recorded ? { bytes: 0, behindMs: 0 } : undefined;
    const { server } = serve(
      t,
      exampleViews({ masters: [{ ...exampleMaster, record: spelled(recorded) }], lag: asSpelled }),
    );
    for (const host of asked) {
      for (const url of [`/check/master?address=${host}:6379`, `/check/replica?address=${host}:6379&maxLag=1s`])
        t.equal((await server.inject(url)).statusCode, 200, `${url} of ${recorded}`);
      t.equal((await server.inject(`/check/master?address=${host}:6380`)).statusCode, 503);
    }
  }
});

t.test('a check names the master of the record, and a refusal its code', async (t) => {
  const { server } = serve(t, views);
  const held = await server.inject('/check/master?address=10.0.0.5:6379');
  t.ok(roleAnswer.safeParse(held.json()).success);
  t.match(held.json(), { name: 'shard1', role: 'master', epoch: 7 });
  const refused = await server.inject('/check/master?address=10.0.0.9:1');
  t.strictSame(refused.json(), {
    error: { code: 'role-not-held', message: '10.0.0.9:1 is not a master by any record' },
  });
});

t.test('load balancers may ask with GET, HEAD or OPTIONS', async (t) => {
  const { server } = serve(t, views);
  for (const method of ['GET', 'HEAD', 'OPTIONS'] as const) {
    const url = '/check/master?address=10.0.0.5:6379';
    t.equal((await server.inject({ method, url })).statusCode, 200, method);
    t.equal((await server.inject({ method, url: `${url}1` })).statusCode, 503, method);
  }
});

t.test('a check among a hundred masters costs about as much as a route that reads nothing', async (t) => {
  const masters = Array.from({ length: 100 }, (_, i) => ({ ...exampleMaster, name: `m${i}` }));
  const { server } = serve(t, exampleViews({ masters: [...masters, second] }));
  await server.ready();
  const spent = { check: [] as number[], live: [] as number[] };
  // In turns, so that a busy machine slows both.
  for (let i = 0; i < 500; i += 1) {
    const startedMs = performance.now();
    await server.inject('/check/master?address=[::1]:6380');
    const betweenMs = performance.now();
    await server.inject('/live');
    spent.check.push(betweenMs - startedMs);
    spent.live.push(performance.now() - betweenMs);
  }
  const [check = 0, live = 0] = [spent.check, spent.live].map((all) => all.toSorted((a, b) => a - b)[250]);
  t.ok(check < live * 5, `${check} ms against ${live} ms at the median`);
});

t.test('a replica that lags, or whose lag is unknown, fails the check', async (t) => {
  const of = (lag: { bytes: number | null; behindMs: number | null } | undefined) =>
    serve(t, exampleViews({ masters: [exampleMaster], lag: () => lag })).server;
  const url = '/check/replica?address=10.0.0.6:6379';
  const limits: readonly (readonly [limit: string, status: number])[] = [
    ['', 200],
    ['&maxLag=2000', 200],
    ['&maxLag=1999', 503],
    ['&maxLag=2kb', 200],
    ['&maxLag=1KB', 503],
    ['&maxLag=3s', 200],
    ['&maxLag=1500ms', 200],
    ['&maxLag=1s', 503],
    ['&maxLag=', 400],
    ['&maxLag=-1', 400],
    ['&maxLag=1e9', 400],
    ['&maxLag=much', 400],
  ];
  const server = of({ bytes: 2_000, behindMs: 1_500 });
  for (const [limit, status] of limits) t.equal((await server.inject(url + limit)).statusCode, status, limit);
  for (const unknown of [of(undefined), of({ bytes: null, behindMs: null })]) {
    t.equal((await unknown.inject(url)).statusCode, 200);
    for (const limit of ['&maxLag=10gb', '&maxLag=1h']) {
      const answer = await unknown.inject(url + limit);
      t.equal(answer.statusCode, 503);
      t.equal(answer.json().error.code, 'replica-lags');
    }
  }
});
