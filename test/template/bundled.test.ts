import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import type { MasterRecord } from '../../lib/model/record.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { inferFormat } from '../../lib/template/format.ts';
import { parameters } from '../property/parameters.ts';
import { knowRecords, makeInstance, makeRecord, makeWorld, textOf } from './world.ts';

function render(file: string, known: Record<string, unknown>, vars: Record<string, unknown> = {}): string {
  return textOf(compile(file).render(makeWorld(known, { vars, environment: 'prod' })));
}

function compile(file: string) {
  const text = readFileSync(join(import.meta.dirname, '../../templates', file), 'utf8');
  return compileTemplate({ template: { file, text }, format: inferFormat(file) });
}

function warningsOf(file: string, known: Record<string, unknown>, vars: Record<string, unknown>): readonly string[] {
  return compile(file).render(makeWorld(known, { vars, environment: 'prod' })).warnings;
}

const shards = [
  makeRecord({ name: 'shard2', master: { host: '10.0.0.2', port: 6380 } }),
  makeRecord({ name: 'shard1', master: { host: '10.0.0.1', port: 6379 } }),
];
const noServices = { 'service(redis-replica)': [], 'service(redis)': [] };
const known = { ...knowRecords(shards, 'redis/prod/'), ...noServices };

t.test('twemproxy: one pool, servers by name in a stable order', async (t) => {
  const config = parseYaml(render('twemproxy.yml.hbs', known));
  t.match(config.redis, { listen: '127.0.0.1:22121', redis: true, auto_eject_hosts: false, distribution: 'ketama' });
  t.same(config.redis.servers, ['10.0.0.1:6379:1 shard1', '10.0.0.2:6380:1 shard2']);
});

t.test(
  'twemproxy: an IPv6 address has no brackets, because twemproxy takes what is before the last colons',
  async (t) => {
    const six = [makeRecord({ name: 'six', master: { host: '2001:db8::5', port: 6379 } })];
    const config = parseYaml(render('twemproxy.yml.hbs', { ...knowRecords(six, 'redis/prod/'), ...noServices }));
    t.same(config.redis.servers, ['2001:db8::5:6379:1 six']);
  },
);

t.test('twemproxy: everything else can be set', async (t) => {
  const vars = {
    pool: 'cache',
    listen: '0.0.0.0:1',
    hash: 'murmur',
    hash_tag: '{}',
    timeout: 50,
    weight: 3,
    auto_eject_hosts: true,
  };
  const config = parseYaml(render('twemproxy.yml.hbs', known, vars));
  t.match(config.cache, { listen: '0.0.0.0:1', hash: 'murmur', hash_tag: '{}', timeout: 50, auto_eject_hosts: true });
  t.equal(config.cache.servers[0], '10.0.0.1:6379:3 shard1');
});

t.test('twemproxy: several pools, each over its masters and with settings of its own', async (t) => {
  const pools = {
    a: { masters: ['shard1'], listen: '/run/a.sock 0666', weight: 5 },
    b: { masters: ['*2'], timeout: 9 },
  };
  const config = parseYaml(render('twemproxy.yml.hbs', known, { pools, hash: 'murmur' }));
  t.match(config, {
    a: { listen: '/run/a.sock 0666', hash: 'murmur', timeout: 400, servers: ['10.0.0.1:6379:5 shard1'] },
    b: { listen: '127.0.0.1:22121', hash: 'murmur', timeout: 9 },
  });
  t.equal(config.b.servers.length, 1);
  t.match(render('twemproxy.yml.hbs', known, { pools: { a: {}, b: {} } }), /pools "a" and "b" both listen on/);
  for (const listen of ['localhost:22121', '0.0.0.0:22121', ':22121'])
    t.match(render('twemproxy.yml.hbs', known, { pools: { a: {}, b: { listen } } }), /both listen on/, listen);
  t.match(render('twemproxy.yml.hbs', known, { pools: { a: {}, b: { listen: '10.0.0.5:22121' } } }), /^b:/m);
  t.match(render('twemproxy.yml.hbs', known, { pools: { a: { masters: 'x' } } }), /masters must be a list of names/);
  t.strictSame(
    warningsOf('twemproxy.yml.hbs', known, {
      pools: { a: { masters: ['shard1'] }, b: { listen: 'x:1', masters: ['z'] } },
    }),
    [
      'The pool "b" is left out: no master matches vars.pools.b.masters.',
      'The master "shard2" is in no pool of vars.pools.',
    ],
  );
});

t.test('env: two masters whose names give one variable are reported', async (t) => {
  const twins = knowRecords([makeRecord({ name: 'a-b' }), makeRecord({ name: 'a_b' })], 'redis/prod/');
  t.match(warningsOf('app.env.hbs', twins, {}), [/REDIS_A_B_HOST is set twice/, /_PORT/, /_URL/]);
  t.strictSame(warningsOf('app.env.hbs', known, {}), []);
});

t.test('keepalived: the other hosts as peers, and the checks of this one', async (t) => {
  const pair = { interface: 'eth0', address: '10.0.0.100/24', own: '10.0.0.11', peers: ['10.0.0.11', '10.0.0.12'] };
  const text = render('keepalived.conf.hbs', {}, pair);
  t.match(text, /unicast_src_ip 10\.0\.0\.11\n {4}unicast_peer \{\n {8}10\.0\.0\.12\n {4}\}/);
  t.match(text, /virtual_ipaddress \{\n {8}10\.0\.0\.100\/24\n {4}\}/);
  t.match(text, '-o /dev/null http://127.0.0.1:8680/check/template?name=haproxy.cfg"');
  t.match(render('keepalived.conf.hbs', {}, { ...pair, template: 'a b' }), 'name=a+b"');
  for (const missing of Object.keys(pair))
    t.match(render('keepalived.conf.hbs', {}, { ...pair, [missing]: undefined }), /^template-failed/, missing);
  t.match(render('keepalived.conf.hbs', {}, { ...pair, interface: 'eth0 {' }), /^value-refused/);
});

const ports = { shard1: 16379, shard2: 16380 };

t.test('HAProxy: a frontend and a backend for each shard, on the port that is set for it', async (t) => {
  const text = render('haproxy.cfg.hbs', known, { ports, bind: '127.0.0.9' });
  t.match(text, /frontend shard1\n {4}bind 127\.0\.0\.9:16379\n {4}default_backend shard1\n/);
  t.match(text, /frontend shard2\n {4}bind 127\.0\.0\.9:16380\n/);
  t.match(text, /backend shard2\n {4}server master 10\.0\.0\.2:6380 check\n/);
  t.notMatch(text, /twemproxy/);
});

t.test('a new master without a port changes no listener of the others, and is reported', async (t) => {
  const more = knowRecords([...shards, makeRecord({ name: 'shard10' })], 'redis/prod/');
  for (const file of ['haproxy.cfg.hbs', 'twemproxy-stable.yml.hbs']) {
    const comment = /^ *# No port for master "shard10" in vars\.ports.*\n/m;
    const text = render(file, more, { ports });
    t.match(text, comment);
    t.equal(text.replace(comment, ''), render(file, known, { ports }));
    t.strictSame(warningsOf(file, more, { ports }), [
      'The master "shard10" is left out: set vars.ports.shard10 to a port of its own.',
    ]);
    t.strictSame(warningsOf(file, more, { ports: { ...ports, shard10: 'x' } }), [
      'The master "shard10" is left out: vars.ports.shard10 is "x", not a port from 1 to 65535.',
    ]);
  }
});

t.test('two listeners never get one port', async (t) => {
  const twice = /^template-failed: .*vars\.ports gives port 16379 to "shard2", and "shard1" has it/;
  for (const file of ['haproxy.cfg.hbs', 'twemproxy-stable.yml.hbs']) {
    t.match(render(file, known, { ports: { shard1: 16379, shard2: '16379' } }), twice);
  }
  const reserved = { ports, twemproxy_bind: '*:16380' };
  t.match(
    render('haproxy.cfg.hbs', { ...known, 'service(redis-proxy)': [] }, reserved),
    /^template-failed: .*gives port 16380 to "shard2", and the listener \*:16380 has it/,
  );
});

t.test('a file without any listener is an error, except where only twemproxies are wanted', async (t) => {
  for (const file of ['haproxy.cfg.hbs', 'twemproxy-stable.yml.hbs']) {
    t.match(render(file, known), /^template-failed: .*vars\.ports names no port for "shard1", "shard2": set it/);
    t.match(render(file, known, { base_port: 16379 }), /^template-failed: /);
    t.match(render(file, known, { ports: [16379] }), /^template-failed: .*must map the names of masters to ports/);
  }
  const text = render('haproxy.cfg.hbs', { ...known, 'service(redis-proxy)': [] }, { twemproxy_bind: '*:1' });
  t.match(text, /frontend twemproxy/);
});

t.test('HAProxy: a listener over the twemproxies, where it is asked for', async (t) => {
  const proxies = [makeInstance({ id: 'tw', tags: ['twemproxy'] }), makeInstance({ id: 'ha', tags: ['haproxy'] })];
  const text = render('haproxy.cfg.hbs', { ...known, 'service(redis-proxy)': proxies }, { twemproxy_bind: '*:22120' });
  t.match(text, /frontend twemproxy\n {4}bind \*:22120\n/);
  t.match(text, /balance leastconn\n {4}server n1-tw 10\.0\.0\.9:80 check\n$/);
  const onSocket = makeInstance({ id: 'twemproxy-unix:run:a.sock', port: 0, tags: ['twemproxy'] });
  const mixed = { ...known, 'service(redis-proxy)': [onSocket, ...proxies] };
  const [, servers = ''] = render('haproxy.cfg.hbs', mixed, { twemproxy_bind: '*:22120' }).split('leastconn\n');
  t.match(servers, /^ {4}# n1-twemproxy-unix\S+ listens on a socket, .*\n {4}server n1-tw 10\.0\.0\.9:80 check\n$/);
});

t.test('applications: JSON and KEY=value', async (t) => {
  t.same(JSON.parse(render('app.json.hbs', known)), {
    environment: 'prod',
    masters: {
      shard1: { host: '10.0.0.1', port: 6379, replicas: [{ host: '10.0.0.2', port: 6379 }] },
      shard2: { host: '10.0.0.2', port: 6380, replicas: [{ host: '10.0.0.2', port: 6379 }] },
    },
  });
  t.equal(
    render('app.env.hbs', known, { prefix: 'APP' }),
    'APP_MASTERS=shard1,shard2\nAPP_SHARD1_HOST=10.0.0.1\nAPP_SHARD1_PORT=6379\nAPP_SHARD1_URL=redis://10.0.0.1:6379\n' +
      'APP_SHARD2_HOST=10.0.0.2\nAPP_SHARD2_PORT=6380\nAPP_SHARD2_URL=redis://10.0.0.2:6380\n',
  );
});

const hostile = fc.oneof(
  fc.constantFrom(
    'a\nb',
    'a\n    server evil 6.6.6.6:1',
    'a"b',
    "a'b",
    'a #',
    '{{x}}',
    'a\r',
    'a: b',
    '- a',
    'x'.repeat(100_000),
  ),
  fc.string({ minLength: 1 }),
  fc.string({ minLength: 1, unit: 'binary' }),
);

t.test('whatever the catalog holds, no bundled template gains a line', async (t) => {
  const lines = (text: string) => text.split(/[\n\r\u0085\u2028\u2029]/).length;
  for (const file of ['twemproxy.yml.hbs', 'haproxy.cfg.hbs', 'app.json.hbs', 'app.env.hbs']) {
    const vars = { twemproxy_bind: '*:1', ports: { shard1: 2 } };
    const knownWith = (over: Partial<MasterRecord>, id: string) => ({
      ...knowRecords([makeRecord(over)], 'redis/prod/'),
      ...noServices,
      'service(redis-proxy)': [makeInstance({ id, tags: ['twemproxy'] })],
    });
    const expected = lines(render(file, knownWith({}, 'tw'), vars));
    fc.assert(
      fc.property(hostile, hostile, hostile, (name, host, id) => {
        const replicas = [{ host: id, port: 1 }];
        const named = { ...vars, ports: { [name]: 2 } };
        const text = render(file, knownWith({ name, master: { host, port: 1 }, replicas }, id), named);
        return text.startsWith('value-refused: ') || lines(text) === expected;
      }),
      parameters({ runs: 25 }),
    );
    t.pass(file);
  }
});
