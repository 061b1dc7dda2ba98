import t, { type Test } from 'tap';
import type { SentinelState, TemplateState } from '../../lib/http/views.ts';
import { makeReason, type Reason, toHealth } from '../../lib/model/health.ts';
import { serve } from './serve.ts';
import { exampleTemplate, exampleViews } from './views.ts';

const lost = makeReason({
  code: 'consul-unreachable',
  subject: { kind: 'consul', name: 'consul' },
  text: 'Consul cannot be read: refused',
});
const warned = makeReason({
  code: 'template-warning',
  subject: { kind: 'template', name: 'haproxy.cfg' },
  text: 'It leaves out shard9.',
});

function sentinel(up: boolean): SentinelState {
  return { address: { host: '10.0.0.5', port: 26379 }, id: null, up, error: up ? null : 'refused' };
}

async function check(
  t: Test,
  {
    template = {},
    sentinels = [],
    reasons,
  }: {
    readonly template?: Partial<TemplateState>;
    readonly sentinels?: readonly SentinelState[];
    readonly reasons?: readonly Reason[];
  },
) {
  const views = exampleViews({
    templates: [{ ...exampleTemplate, state: 'current', ...template }],
    sentinels,
    ...(reasons === undefined ? {} : { health: toHealth(reasons) }),
  });
  const answer = await serve(t, views).server.inject('/check/template?name=haproxy.cfg');
  return { status: answer.statusCode, code: answer.json().error?.code, message: answer.json().error?.message };
}

t.test('a template passes while its consumer uses the right text, and while the next one is on its way', async (t) => {
  for (const state of ['current', 'write', 'reload-only'])
    t.equal((await check(t, { template: { state } })).status, 200, state);
  for (const state of ['new', 'pending', 'held', 'refused', 'invalid', 'failed'])
    t.match(await check(t, { template: { state } }), { status: 503, code: 'template-not-current' }, state);
  t.match(await check(t, { template: { state: 'write', held: 'abc' } }), { status: 503 }, 'a guard holds its text');
  t.equal((await check(t, { reasons: [warned] })).status, 200, 'a warning');
});

t.test('a node that reads Consul or a Sentinel follows, and one that reads neither does not', async (t) => {
  const cases = [
    { reasons: [], sentinels: [sentinel(false)], status: 200 },
    { reasons: [lost], sentinels: [sentinel(false), sentinel(true)], status: 200 },
    { reasons: [lost], sentinels: [sentinel(false)], status: 503 },
    { reasons: [lost], sentinels: [], status: 503 },
  ];
  for (const { status, ...situation } of cases) t.equal((await check(t, situation)).status, status);
  const { code, message } = await check(t, { reasons: [lost], sentinels: [sentinel(false)] });
  t.equal(code, 'not-following');
  t.match(message, /Consul cannot be read: refused.*no Sentinel answers/);
});

t.test(
  'an unknown template and a wrong parameter are refused, and load balancers may ask with any method',
  async (t) => {
    const { server } = serve(t, exampleViews({ templates: [{ ...exampleTemplate, state: 'current' }] }));
    for (const [url, status] of [
      ['/check/template?name=haproxy.conf', 404],
      ['/check/template', 400],
      ['/check/template?name=haproxy.cfg&address=1.1.1.1:1', 400],
    ] as const)
      t.equal((await server.inject(url)).statusCode, status, url);
    for (const method of ['GET', 'HEAD', 'OPTIONS'] as const)
      t.equal((await server.inject({ method, url: '/check/template?name=haproxy.cfg' })).statusCode, 200, method);
  },
);
