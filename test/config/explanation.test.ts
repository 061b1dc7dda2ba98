import t, { type Test } from 'tap';
import { type ExplainedSetting, explainConfig } from '../../lib/config/explanation.ts';

const config = `environment: prod
register:
  - { kind: redis, name: shard1, address: "10.0.0.5:6379", check: { timeout: 1s } }
sentinel:
  masters: ["shard*"]
templates:
  - source: app.env.hbs
    destination: /tmp/a.env
    vars: { api_password: hush, redis_auth_file: /etc/auth, nested: { token: hush } }
`;

async function explain(t: Test, text: string | undefined, environment: NodeJS.ProcessEnv = {}) {
  const paths = text === undefined ? [] : [`${t.testdir({ 'c.yml': text })}/c.yml`];
  const settings = await explainConfig({ paths, environment });
  return new Map(settings.map((setting) => [setting.path, setting]));
}

const shown = ({ value, from }: ExplainedSetting = { path: '', value: undefined, from: '' }) =>
  `${JSON.stringify(value)} ${from.replace(/^.*\/c\.yml/, 'c.yml')}`;

t.test('each setting has its value as in a file, and where it comes from', async (t) => {
  const variables = { CONSUL_HTTP_ADDR: '10.1.1.1:8500', CONSUL_HTTP_TOKEN: 'hush', CONSUL_NAMESPACE: 'team' };
  const settings = await explain(t, config, variables);
  for (const [path, expected] of Object.entries({
    environment: '"prod" c.yml:1:14',
    'register[0].check.timeout': '"1s" c.yml:3:78',
    'register[0].check.interval': '"2s" default',
    'sentinel.masters': '["shard*"] c.yml:5:12',
    'sentinel.resync': '"30s" default',
    'api.listen': '"127.0.0.1:8680" default',
    'consul.address': '"10.1.1.1:8500" CONSUL_HTTP_ADDR',
    'consul.token': '"[redacted]" CONSUL_HTTP_TOKEN',
    'consul.namespace': '"team" CONSUL_NAMESPACE',
    'consul.connections': '64 default',
    'templates[0].vars.api_password': '"[redacted]" c.yml:9:27',
    'templates[0].vars.nested.token': '"[redacted]" c.yml:9:78',
    'templates[0].vars.redis_auth_file': '"/etc/auth" c.yml:9:50',
  }))
    t.equal(shown(settings.get(path)), expected, path);
  t.notMatch(JSON.stringify([...settings]), 'hush');
});

t.test('the file wins over the environment, and without a file the defaults count', async (t) => {
  const environment = { CONSUL_HTTP_ADDR: '10.1.1.1:8500' };
  const given = await explain(t, 'consul: { address: "10.2.2.2:8500" }\n', environment);
  t.equal(shown(given.get('consul.address')), '"10.2.2.2:8500" c.yml:1:20');
  t.notOk(given.has('sentinel.resync'), 'a part that the config does not ask for');
  const without = await explain(t, undefined);
  t.equal(shown(without.get('sentinel.addresses')), '["127.0.0.1:26379"] default');
  t.equal(shown(without.get('consul.address')), '"127.0.0.1:8500" default');
});
