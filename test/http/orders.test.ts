import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import { plannedAnswer, plannedPreview } from '../../lib/http/failover-shapes.ts';
import type { ClusterControls, MasterControls, TemplateControls } from '../../lib/http/views.ts';
import { exampleToken, serve } from './serve.ts';
import { exampleMaster, exampleViews } from './views.ts';

const report = {
  name: 'shard1',
  manner: 'coordinated' as const,
  from: { host: '10.0.0.5', port: 6379 },
  to: { host: '10.0.0.6', port: 6379 },
  generation: 1,
  epoch: 8,
  stages: { checked: 1, paused: 2.5, demoted: 300 },
  withoutWritesMs: 120.5,
  offsets: { paused: 100, inherited: 100 },
};

const preview = {
  name: 'shard1',
  dryRun: true,
  verdict: 'waits',
  why: 'its failover of epoch 7 is not confirmed yet',
  manner: 'paused',
  whyPaused: 'the Sentinel 10.0.0.7:26379 does not know coordinated failovers',
  from: report.from,
  to: null,
  candidates: [],
  outOfSync: [],
} as const;

function steer(masterControls: Partial<MasterControls> = {}, clusterControls?: ClusterControls) {
  const { server, defects } = serve(
    t,
    exampleViews({
      masters: [exampleMaster],
      masterControls: {
        failOver: async () => report,
        previewFailover: async () => preview,
        rebase: async () => exampleMaster.record ?? Promise.reject(new Error('no record')),
        ...masterControls,
      },
      ...(clusterControls === undefined ? {} : { clusterControls }),
    }),
  );
  const post = (url: string, payload?: object, token = exampleToken) =>
    server.inject({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${token}` },
      ...(payload === undefined ? {} : { payload }),
    });
  return { server, defects, post };
}

t.test('a failover is carried out as asked for, and its report is the answer', async (t) => {
  const asked: unknown[] = [];
  const failOver: MasterControls['failOver'] = async (name, wish) => {
    const { signal, ...rest } = wish;
    t.equal(signal?.aborted, false);
    asked.push({ name, ...rest });
    return report;
  };
  const { post } = steer({ failOver });
  const url = '/v1/masters/shard1/failover';
  for (const payload of [
    undefined,
    {},
    { replica: '10.0.0.6:6379', timeout: '5s' },
    { timeout: 500 },
    { timeout: '5m' },
  ]) {
    const answer = await post(url, payload);
    t.equal(answer.statusCode, 200);
    t.strictSame(answer.json(), report);
    t.ok(plannedAnswer.safeParse(answer.json()).success);
  }
  t.strictSame(asked, [
    { name: 'shard1' },
    { name: 'shard1' },
    { name: 'shard1', successor: { host: '10.0.0.6', port: 6379 }, timeoutMs: 5_000, waitMs: 5_000 },
    { name: 'shard1', timeoutMs: 500, waitMs: 500 },
    { name: 'shard1', timeoutMs: 60_000, waitMs: 300_000 },
  ]);
});

t.test('an invalid request is refused before anything is done', async (t) => {
  const { post, server, defects } = steer({ failOver: async () => t.fail('it was carried out') as never });
  const url = '/v1/masters/shard1/failover';
  const wrong = [{ replica: 'somewhere' }, { timeout: '1ms' }, { timeout: 'soon' }, { force: true }, { timeout: null }];
  for (const payload of [...wrong, [], { replica: 5 }]) t.equal((await post(url, payload)).statusCode, 400);
  t.equal((await post(url, {}, 'wrong')).statusCode, 401);
  t.equal((await server.inject({ method: 'POST', url })).statusCode, 401);
  t.equal((await server.inject({ method: 'GET', url })).statusCode, 404);
  t.strictSame(defects, []);
});

t.test('a refusal is 409, a stall 503, and no master of that name 404', async (t) => {
  for (const [code, status] of [
    ['failover-refused', 409],
    ['failover-stalled', 503],
    ['not-found', 404],
  ] as const) {
    const { post } = steer({ failOver: async () => Promise.reject(new SwitchmasterError(code, 'no')) });
    const answer = await post('/v1/masters/shard1/failover');
    t.equal(answer.statusCode, status);
    t.equal(answer.json().error.code, code);
  }
});

t.test('a dry run only answers what would happen', async (t) => {
  const asked: unknown[] = [];
  const { post } = steer({
    failOver: async () => t.fail('it was carried out') as never,
    previewFailover: async (name, wish) => {
      asked.push({ name, ...wish });
      return preview;
    },
  });
  const answer = await post('/v1/masters/shard1/failover', { dryRun: true, replica: '10.0.0.6:6379' });
  t.strictSame(answer.json(), preview);
  t.ok(plannedPreview.safeParse(answer.json()).success);
  t.strictSame(asked, [{ name: 'shard1', successor: { host: '10.0.0.6', port: 6379 } }]);
});

t.test('a failover of a cluster names its node, and may be a dry run', async (t) => {
  const asked: unknown[] = [];
  const { generation: _, manner: _manner, ...moved } = { ...report, stages: { checked: 1, demoted: 300 } };
  const { candidates, outOfSync, manner, whyPaused, ...shown } = preview;
  const { post } = steer(
    {},
    {
      failOver: async (name, { signal, ...wish }) => {
        asked.push({ name, aborted: signal?.aborted, ...wish });
        return moved;
      },
      previewFailover: async () => shown,
    },
  );
  const url = '/v1/clusters/sessions/failover';
  const node = '10.0.0.6:6379';
  t.strictSame((await post(url, { node, timeout: '5s' })).json(), moved);
  t.strictSame((await post(url, { node, dryRun: true })).json(), shown);
  t.strictSame(asked, [
    { name: 'sessions', aborted: false, node: { host: '10.0.0.6', port: 6379 }, timeoutMs: 5_000, waitMs: 5_000 },
  ]);
  for (const payload of [undefined, {}, { node: 'x' }, { node, replica: node }])
    t.equal((await post(url, payload)).statusCode, 400);
  t.equal((await post(url, { node }, 'wrong')).statusCode, 401);
});

t.test('a new generation is begun by hand', async (t) => {
  const { post } = steer();
  const answer = await post('/v1/masters/shard1/rebase');
  t.strictSame(answer.json(), { name: 'shard1', record: exampleMaster.record });
  const refusing = steer({ rebase: async () => Promise.reject(new SwitchmasterError('rebase-refused', 'no')) });
  t.equal((await refusing.post('/v1/masters/shard1/rebase')).statusCode, 409);
});

t.test('a held text is approved by its digest, or as it is', async (t) => {
  const asked: unknown[] = [];
  const templateControls: TemplateControls = {
    render: () => t.fail('it was rendered'),
    approve: (name, wish) => {
      asked.push({ name, ...wish });
      if (wish.digest === 'old') throw new SwitchmasterError('approve-refused', 'another one by now');
    },
  };
  const { server, defects } = serve(t, exampleViews({ templateControls }));
  const post = (payload?: object) =>
    server.inject({
      method: 'POST',
      url: '/v1/templates/a.cfg/approve',
      headers: { authorization: `Bearer ${exampleToken}` },
      ...(payload === undefined ? {} : { payload }),
    });
  t.equal((await post()).statusCode, 202);
  t.equal((await post({ digest: 'new' })).statusCode, 202);
  const refused = await post({ digest: 'old' });
  t.equal(refused.statusCode, 409);
  t.strictSame(refused.json(), { error: { code: 'approve-refused', message: 'another one by now' } });
  for (const payload of [{ digest: 5 }, { digest: '' }, { text: 'x' }]) t.equal((await post(payload)).statusCode, 400);
  t.strictSame(asked, [{ name: 'a.cfg' }, { name: 'a.cfg', digest: 'new' }, { name: 'a.cfg', digest: 'old' }]);
  t.strictSame(defects, []);
});

t.test('the OpenAPI document knows both, with what they take and that they need a token', async (t) => {
  const { server } = steer();
  const { paths } = (await server.inject('/openapi.json')).json();
  const failover = paths['/v1/masters/{name}/failover'].post;
  t.strictSame(failover.security, [{ token: [] }]);
  t.ok(JSON.stringify(failover.requestBody).includes('replica'));
  t.ok(paths['/v1/masters/{name}/rebase'].post);
});
