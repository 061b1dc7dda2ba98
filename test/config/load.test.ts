import { writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import t from 'tap';
import { parseTarget } from '../../lib/config/consul.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { parseDuration } from '../../lib/model/duration.ts';
import { Certificates } from '../sandbox/certificates.ts';

const nothing: NodeJS.ProcessEnv = {};

t.test('with no config, a Sentinel and a Consul on this machine', async (t) => {
  const config = await loadConfig({ paths: [], environment: nothing });
  t.match(config, {
    environment: undefined,
    consul: { host: '127.0.0.1', port: 8500 },
    sentinel: { addresses: [{ host: '127.0.0.1', port: 26379 }], masters: ['*'], roleDeadlineMs: 500 },
    templates: [],
    api: { listen: { host: '127.0.0.1', port: 8680 } },
    log: { level: 'info', format: 'auto' },
  });
});

t.test('a node runs only the parts that its config names', async (t) => {
  const folder = t.testdir({ 'c.yml': 'consul: {}\napi: false\n' });
  const config = await loadConfig({ paths: [folder], environment: nothing });
  t.equal(config.sentinel, undefined);
  t.equal(config.api, undefined);
});

t.test('files of a folder are merged in the order of their names', async (t) => {
  const folder = t.testdir({
    '20-more.yaml': 'sentinel: { addresses: ["127.0.0.1:2"], resync: 1m30s }\nlog:\n',
    '10-first.yml': 'environment: prod\nsentinel: { addresses: ["127.0.0.1:1"] }\nlog: { level: warn }\n',
    '30-last.json': '{"environment": "prod", "log": {"format": "json"}}',
    'README.md': 'not config',
  });
  const config = await loadConfig({ paths: [folder], environment: nothing });
  t.equal(config.environment, 'prod');
  t.strictSame(
    config.sentinel?.addresses.map(({ port }) => port),
    [1, 2],
  );
  t.equal(config.sentinel?.resyncMs, 90_000);
  t.strictSame(config.log, { level: 'warn', format: 'json' });
});

t.test('an environment is neither a folder of keys nor another tag of its services', async (t) => {
  for (const name of ['record', 'master', 'Master', 'replica', 'REPLICA', 'twemproxy', 'haproxy', 'a/b', '..'])
    await t.rejects(loadConfig({ paths: [t.testdir({ 'c.yml': `environment: "${name}"\n` })], environment: nothing }), {
      code: 'config-invalid',
    });
});

t.test('published addresses have the spelling of the records', async (t) => {
  const yaml =
    'publish: { "a*": { port: 6380, addresses: { Db1.Example: 203.0.113.1, "[2001:DB8:0::1]:1": "n.example:2" } } }';
  const config = await loadConfig({ paths: [t.testdir({ 'c.yml': yaml })], environment: nothing });
  const addresses = { 'db1.example': { host: '203.0.113.1' }, '[2001:db8::1]:1': { host: 'n.example', port: 2 } };
  t.strictSame(config.publish, [{ masters: 'a*', port: 6380, addresses }]);
});

t.test('secrets come from files beside the config or from the environment, and never print', async (t) => {
  const folder = t.testdir({
    'c.yml': 'sentinel: { passwordFile: s.password }\nconsul: { tokenFile: token }\n',
    's.password': 'open sesame\n',
    token: 'cafe-babe\n',
  });
  const environment = { SWITCHMASTER_REDIS_PASSWORD: 'hunter2', CONSUL_HTTP_TOKEN: 'from-environment' };
  const config = await loadConfig({ paths: [folder], environment });
  t.equal(config.sentinel?.access.password?.reveal(), 'open sesame');
  t.equal(config.sentinel?.redis.password?.reveal(), 'hunter2');
  t.equal(config.consul.token?.reveal(), 'cafe-babe');
  for (const printed of [
    JSON.stringify(config),
    inspect(config, { depth: 9, showHidden: true }),
    `${config.consul.token}`,
  ]) {
    t.notMatch(printed, /sesame|hunter2|cafe-babe/);
    t.match(printed, /\[redacted\]/);
  }
});

t.test('the configuration cannot be changed', async (t) => {
  const config = await loadConfig({ paths: [], environment: nothing });
  t.throws(() => Object.assign(config.consul, { host: 'x' }), TypeError);
  const addresses = config.sentinel?.addresses as unknown[] | undefined;
  t.throws(() => addresses?.push(1), TypeError);
});

t.test('variables have the same meaning as for consul, and the config file takes precedence', async (t) => {
  const folder = t.testdir({ 'c.yml': '{}', 'd.yml': 'consul: { address: "10.0.0.1:1" }', token: 'T\n' });
  const { ca, caFile } = new Certificates(`${folder}/ca`);
  const environment = {
    CONSUL_HTTP_ADDR: 'consul.example:8501',
    CONSUL_HTTP_SSL: 'true',
    CONSUL_HTTP_SSL_VERIFY: 'false',
    CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
    CONSUL_CACERT: caFile,
    CONSUL_HTTP_TOKEN: 'less',
    CONSUL_HTTP_AUTH: 'user:pa:ss',
    CONSUL_NAMESPACE: 'team',
    CONSUL_PARTITION: 'default',
    CONSUL_HTTP_TOKEN_FILE: `${folder}/token`,
  };
  const config = await loadConfig({ paths: [`${folder}/c.yml`], environment });
  const { consul } = config;
  t.match(consul, { host: 'consul.example', port: 8501 });
  t.strictSame(consul.tls, { ca, serverName: 'server.dc1.consul', verify: false });
  t.equal(consul.token?.reveal(), 'T');
  t.equal(consul.auth?.reveal(), 'user:pa:ss');
  const settings = ['CONSUL_NAMESPACE', 'CONSUL_PARTITION'];
  t.strictSame(consul.scope, { namespace: 'team', partition: 'default', settings });
  t.strictSame(config.warnings, []);
  const second = await loadConfig({ paths: [`${folder}/d.yml`], environment });
  t.match(second.consul, { host: '10.0.0.1', port: 1 });
});

t.test('a namespace and a partition come from the file, else from the environment, and are names', async (t) => {
  const load = async (consul: string, environment: NodeJS.ProcessEnv, rest = '') => {
    const folder = t.testdir({ 'c.yml': `consul: { ${consul} }\n${rest}` });
    return loadConfig({ paths: [`${folder}/c.yml`], environment });
  };
  const { consul } = await load('namespace: team', { CONSUL_NAMESPACE: 'less', CONSUL_PARTITION: 'east' });
  t.strictSame(consul.scope, {
    namespace: 'team',
    partition: 'east',
    settings: ['consul.namespace', 'CONSUL_PARTITION'],
  });
  const alone = await load('partition: east', {});
  t.strictSame(alone.consul.scope, { namespace: 'default', partition: 'east', settings: ['consul.partition'] });
  t.equal((await load('', { CONSUL_NAMESPACE: '' })).consul.scope, undefined);
  for (const name of ['*', 'a b', '-a', 'a-', 'a/b', 'a\r\nx: y', 'a'.repeat(64)]) {
    await t.rejects(load('', { CONSUL_PARTITION: name }), {
      message: /CONSUL_PARTITION: .* is no partition of Consul: it must/,
    });
    await t.rejects(load(`namespace: ${JSON.stringify(name)}`, {}), {
      message: /consul[.]namespace: must be a DNS label/,
    });
  }
  const shared = await load('namespace: team', {}, 'sentinel: {}\n');
  t.match(shared.warnings, [{ path: 'environment', message: /another namespace with a master of the same name/ }]);
  t.strictSame((await load('namespace: team', {}, 'sentinel: {}\nenvironment: team\n')).warnings, []);
});

t.test('variables of consul without an effect are warnings', async (t) => {
  const folder = t.testdir({ 'c.yml': '{}' });
  const { caFile } = new Certificates(`${folder}/ca`);
  const load = (environment: NodeJS.ProcessEnv) => loadConfig({ paths: [`${folder}/c.yml`], environment });
  const forTls = {
    CONSUL_CACERT: caFile,
    CONSUL_CAPATH: folder,
    CONSUL_CLIENT_CERT: 'x',
    CONSUL_CLIENT_KEY: 'x',
    CONSUL_TLS_SERVER_NAME: 'x',
    CONSUL_HTTP_SSL_VERIFY: 'true',
  };
  const warned = async (environment: NodeJS.ProcessEnv) =>
    (await load(environment)).warnings.map(({ path, message }) => `${path} ${message}`);
  const allOf = (names: object, why: string) => Object.keys(names).map((name) => `${name} has no effect: ${why}`);
  t.strictSame(await warned(forTls), allOf(forTls, 'the connection to Consul does not use TLS'));
  writeFileSync(`${folder}/tls.yml`, 'consul: { tls: {} }\n');
  await t.rejects(
    loadConfig({ paths: [`${folder}/tls.yml`], environment: { CONSUL_HTTP_ADDR: 'unix:///run/consul.sock' } }),
    { message: /consul[.]tls: has no effect on a socket, which CONSUL_HTTP_ADDR names.*set consul[.]address/ },
  );
  t.strictSame(
    await warned({ ...forTls, CONSUL_HTTP_ADDR: 'unix:///x', CONSUL_HTTP_SSL: 'true' }),
    allOf({ CONSUL_HTTP_SSL: 1, ...forTls }, 'the connection to Consul goes through a socket'),
  );
  const grpc = { CONSUL_GRPC_ADDR: 'x', CONSUL_GRPC_CACERT: 'x', CONSUL_GRPC_CAPATH: 'x' };
  t.strictSame(await warned(grpc), allOf(grpc, 'switchmaster uses the HTTP API of Consul alone'));
  t.strictSame(await warned({ CONSUL_TOKEN: 'x' }), allOf({ CONSUL_TOKEN: 1 }, 'only consul-template reads it'));
  t.strictSame(await warned({ CONSUL_NAMESPACE: '', CONSUL_PARTITION: '', CONSUL_HTTP_SSL: '0' }), []);
  t.strictSame(await warned({ CONSUL_HTTP_SSL: 'true', CONSUL_CACERT: caFile, CONSUL_TLS_SERVER_NAME: 'x' }), []);
});

t.test('addresses of Consul take the forms that consul takes', (t) => {
  const cases: readonly [string, { forceTls: boolean }, unknown][] = [
    ['10.0.0.1:8500', { forceTls: false }, { host: '10.0.0.1', port: 8500, secure: false }],
    ['http://consul:8500/', { forceTls: false }, { host: 'consul', port: 8500, secure: false }],
    ['https://consul', { forceTls: false }, { host: 'consul', port: 443, secure: true }],
    ['http://consul:8501', { forceTls: true }, { host: 'consul', port: 8501, secure: true }],
    ['[::1]:8500', { forceTls: false }, { host: '::1', port: 8500, secure: false }],
    ['unix:///run/consul.sock', { forceTls: false }, { socketPath: '/run/consul.sock', secure: false }],
  ];
  for (const [text, options, expected] of cases) t.match(parseTarget(text, options), expected, text);
  for (const text of ['a b', 'http://u:p@c:1', 'http://c:1/x', 'gopher://c', 'c:99999']) {
    t.type(parseTarget(text, { forceTls: false }), 'string', text);
  }
  t.end();
});

t.test('durations are read in every form', (t) => {
  const cases: readonly [unknown, number | undefined][] = [
    ['500ms', 500],
    ['10s', 10_000],
    ['1m30s', 90_000],
    ['1.5s', 1_500],
    ['2h', 7_200_000],
    [250, 250],
    [0, 0],
    ['10', undefined],
    ['', undefined],
    ['-1s', undefined],
    [-1, undefined],
    [Number.NaN, undefined],
    [null, undefined],
  ];
  for (const [value, expected] of cases) t.equal(parseDuration(value), expected, String(value));
  t.end();
});

t.test('a template has the name of its destination, and two with one name have their folders in front', async (t) => {
  const folder = t.testdir({
    'c.yml': `templates:
  - { source: ./x.hbs, destination: a/app.json, mode: "0640", check: ["true", "{{file}}"] }
  - { source: ./x.hbs, destination: b/app.json, reload: { command: ["true"], timeout: 5s } }
`,
    'x.hbs': '',
  });
  const { templates } = await loadConfig({ paths: [folder], environment: nothing });
  t.match(templates, [
    { name: 'app.json', source: `${folder}/x.hbs`, destination: `${folder}/a/app.json`, mode: 0o640 },
    {
      name: 'b~app.json',
      destination: `${folder}/b/app.json`,
      reload: { kind: 'command', command: { argv: ['true'], timeoutMs: 5_000 } },
    },
  ]);
  t.strictSame(templates[0]?.check, { argv: ['true', '{{file}}'], timeoutMs: 30_000 });
});

t.test('bytes that are not UTF-8 are refused in values and passwords, and not in comments', async (t) => {
  const config = (text: string) =>
    `${text}environment: p\nsentinel: { passwordFile: s.password, username: "\u00fc" }\n`;
  const reject = async (bytes: Buffer, password: string, message: RegExp) => {
    const folder = t.testdir({ 'c.yml': bytes, 's.password': Buffer.from(password, 'latin1') });
    await t.rejects(loadConfig({ paths: [folder], environment: nothing }), { code: 'config-invalid', message });
  };
  await reject(Buffer.from(config('')), 's\u00fc\u00df', /s\.password: it is not UTF-8 text; save it as UTF-8/);
  await reject(Buffer.from(config(''), 'latin1'), 's', /c\.yml: it is not UTF-8 text; save it as UTF-8/);
  await reject(Buffer.from(`\ufeff${config('')}`, 'utf16le'), 's', /c\.yml: it is not UTF-8 text/);
  const commented = Buffer.from('# f\u00fcr uns\nenvironment: prod\n', 'latin1');
  const accepted = await loadConfig({ paths: [t.testdir({ 'c.yml': commented })], environment: nothing });
  t.equal(accepted.environment, 'prod');
});
