import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { CatalogWatches, type Denial } from '../../../lib/consul/watches.ts';
import { RendererPart } from '../../../lib/renderer/part.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder } from '../support/rendering.ts';
import { makeSpec } from '../support/template-spec.ts';

const management = '5e1f0001-0000-4000-8000-000000000003';
const sandbox = await Sandbox.openFor(t, { name: 'consul-acl' });
const consul = await sandbox.consul({
  config: {
    acl: {
      enabled: true,
      default_policy: 'deny',
      tokens: { master: management, agent: management, default: management },
    },
  },
});
const all =
  'node_prefix "" { policy = "read" } service_prefix "" { policy = "read" } key_prefix "" { policy = "read" }';
const nodes = 'node_prefix "" { policy = "read" }';

await waitFor('ACLs', () => consul.get('/v1/acl/policies'));
await consul.put('/v1/agent/service/register', { Name: 'web', ID: 'web-1', Address: '10.0.0.1', Port: 80 });
await consul.put('/v1/agent/service/register', { Name: 'other', ID: 'other', Address: '10.0.0.2', Port: 80 });
await consul.putKey('app/a', 'one');

await waitFor('the catalog', () => consul.get<object>('/v1/catalog/services'), {
  until: (services) => Object.keys(services ?? {}).length === 3,
});

let policies = 0;

/** A token whose rules can be changed. */
async function makeToken() {
  policies += 1;
  const Name = `policy-${policies}`;
  const policy = await consul.put<{ ID: string }>('/v1/acl/policy', { Name, Rules: all });
  const token = await consul.put<{ SecretID: string }>('/v1/acl/token', { Policies: [{ Name }] });
  const change = (Rules: string) => consul.put(`/v1/acl/policy/${policy?.ID}`, { ID: policy?.ID, Name, Rules });
  return { token: token?.SecretID ?? '', change };
}

async function setUp(t: Test, template: string) {
  const { token, change } = await makeToken();
  const client = new ConsulClient({ ...consul.http, token });
  const denials: Denial[] = [];
  const watches = new CatalogWatches({
    client,
    limits: { waitMs: 500, treeWaitMs: 500, backoff: { initialMs: 20, maxMs: 100 } },
    onDenied: (denial) => denials.push(denial),
  });
  const folder = makeFolder(t);
  const spec = makeSpec(folder, { name: 'out', template, wait: { minMs: 1, maxMs: 5 } });
  const part = new RendererPart({
    specs: [spec],
    environment: undefined,
    watches,
    resyncMs: 60_000,
    onReport: () => {},
  });
  t.teardown(async () => {
    await part.stop({ graceMs: 100 });
    await watches.close();
    client.close();
  });
  part.start();
  const state = () => part.renderer.template('out');
  await waitFor('the file', state, { until: (now) => now?.state === 'current' });
  const read = () => readFileSync(join(folder, 'out'), 'utf8');
  return { change, denials, watches, read, state, part };
}

const cases = [
  ['service', '{{#each (service "web")}}{{address}}{{/each}}', 'service(web)', /service "web" \{ policy = "read" \}/],
  ['services', '{{#each (services)}}{{name}} {{/each}}', 'services', /service_prefix "" /],
  ['nodes', '{{#each (nodes)}}{{node}}{{/each}}', 'nodes', /node_prefix "" /],
  ['ls', '{{#each (ls "app/")}}{{key}}={{value}}{{/each}}', 'key-tree(app/)', /key "app\/a" /],
] as const;

for (const [what, template, query, rule] of cases) {
  t.test(`${what}: what ACLs hide is not gone`, async (t) => {
    const { change, denials, watches, read, state } = await setUp(t, `${template}\n{{keyOrDefault "other/x" "0"}}`);
    const before = read();
    await change('key_prefix "other" { policy = "read" }');
    await waitFor('the denial', () => denials, { until: (list) => list.some((denial) => denial.query === query) });
    t.match(denials.find((denial) => denial.query === query)?.error, { code: 'consul-denied', message: rule });
    t.same(watches.denied.length, 1);
    // A change of something else changes the text only there.
    await consul.putKey('other/x', what);
    await waitFor('the change', read, { until: (text) => text.endsWith(what) });
    t.equal(read(), before.replace(/[^\n]*$/, what));
    await change(all);
    await waitFor('the end of the denial', () => watches.denied.length, { until: (count) => count === 0 });
    await waitFor('the end of the run', state, { until: (now) => now?.state === 'current' });
    await consul.delete('/v1/kv/other/x');
  });
}

t.test('a loop over services does not lose the one that ACLs hide', async (t) => {
  const template = '{{#each (services)}}{{#each (service name)}}{{name}} {{/each}}{{/each}}';
  const { change, denials, read } = await setUp(t, template);
  t.equal(read(), 'consul other web ');
  await change(`${nodes} service "consul" { policy = "read" } service "other" { policy = "read" }`);
  await waitFor('the denials', () => denials, { until: (list) => list.length === 2 });
  t.equal(read(), 'consul other web ');
});

t.test('what was deregistered is gone, and an empty list is held until it is approved', async (t) => {
  await consul.put('/v1/agent/service/register', { Name: 'job', ID: 'job', Address: '10.0.0.3', Port: 80 });
  const { denials, read, state, part } = await setUp(t, '{{#each (service "job")}}{{address}}{{/each}}.');
  t.equal(read(), '10.0.0.3.');
  await consul.put('/v1/agent/service/deregister/job');
  await waitFor('the hold', state, { until: (now) => now?.state === 'held' });
  t.match(state()?.lastOutcome, { kind: 'held', summary: /nothing any more for service\(job\)\. .*guard\.onEmpty/ });
  t.same(denials, []);
  part.renderer.approve('out');
  await waitFor('the file', read, { until: (text) => text === '.' });
});
