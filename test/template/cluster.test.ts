import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { formatClusterRecord } from '../../lib/model/cluster.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { inferFormat } from '../../lib/template/format.ts';
import { knowRecords, makeRecord, makeWorld, textOf } from './world.ts';

const record = formatClusterRecord({
  version: 1,
  name: 'sessions',
  epoch: 7,
  state: 'ok',
  uncovered: [],
  shards: [
    {
      slots: [{ from: 0, to: 8191 }],
      master: { host: '10.0.0.1', port: 7000 },
      replicas: [{ host: '10.0.0.3', port: 7000 }],
    },
    { slots: [{ from: 8192, to: 16383 }], master: { host: '10.0.0.2', port: 7000 }, replicas: [] },
  ],
  changedAt: '2026-01-01T00:00:00.000Z',
  changedBy: 'test',
});
const known = {
  'key(redis/prod/cluster/sessions)': { key: 'redis/prod/cluster/sessions', value: record, modifyIndex: 1 },
  ...knowRecords([makeRecord({ name: 'shard1', master: { host: '10.0.0.9', port: 6379 } })], 'redis/prod/'),
};

const files = { '/run/sentinel.password': 'pass-word\n' };

const six = {
  'key(redis/prod/cluster/sessions)': {
    key: 'redis/prod/cluster/sessions',
    value: record.replaceAll('10.0.0.', '2001:db8::'),
    modifyIndex: 1,
  },
};

function render(file: string, vars: Record<string, unknown> = {}, over: Record<string, unknown> = {}): string {
  const text = readFileSync(join(import.meta.dirname, '../../templates', file), 'utf8');
  const template = compileTemplate({ template: { file, text }, format: inferFormat(file) });
  return textOf(
    template.render(
      makeWorld({ ...known, ...over }, { vars: { cluster: 'sessions', ...vars }, environment: 'prod', files }),
    ),
  );
}

t.test("an application's seeds: a master of each shard", async (t) => {
  const file = JSON.parse(render('redis-cluster.json.hbs'));
  t.match(file, { name: 'sessions', epoch: 7, state: 'ok', seeds: ['10.0.0.1:7000', '10.0.0.2:7000'] });
  t.same(file.shards[0], {
    slots: [{ from: 0, to: 8191 }],
    master: { host: '10.0.0.1', port: 7000 },
    replicas: [{ host: '10.0.0.3', port: 7000 }],
  });
});

t.test('IPv6 addresses have brackets where a port follows', async (t) => {
  t.match(JSON.parse(render('redis-cluster.json.hbs', {}, six)), {
    seeds: ['[2001:db8::1]:7000', '[2001:db8::2]:7000'],
  });
  t.match(render('envoy-redis-cluster.yaml.hbs', {}, six), 'address: "2001:db8::1"');
  const proxy = render('redis-cluster-haproxy.cfg.hbs', {}, six);
  t.match(proxy, '    server 2001:db8::1:7000 [2001:db8::1]:7000 check');
});

t.test('Envoy begins at the masters', async (t) => {
  const config = parseYaml(render('envoy-redis-cluster.yaml.hbs', { port: 6380 }));
  t.equal(config.static_resources.listeners[0].address.socket_address.port_value, 6380);
  const [cluster] = config.static_resources.clusters;
  // Since 1.22 Envoy finds an extension by the type of its config alone, not by its name.
  t.match(cluster.cluster_type, {
    name: 'envoy.clusters.redis',
    typed_config: { '@type': 'type.googleapis.com/envoy.extensions.clusters.redis.v3.RedisClusterConfig' },
  });
  t.notMatch(cluster, { typed_extension_protocol_options: {} });
  t.same(
    cluster.load_assignment.endpoints[0].lb_endpoints.map(
      (one: { endpoint: { address: { socket_address: object } } }) => one.endpoint.address.socket_address,
    ),
    [
      { address: '10.0.0.1', port_value: 7000 },
      { address: '10.0.0.2', port_value: 7000 },
    ],
  );
});

t.test('Envoy gets the user, the password and the CA of the nodes', async (t) => {
  const vars = { username: 'app', password_file: '/run/redis.password', ca_file: '/etc/ca.pem', server_name: 'redis' };
  const [cluster] = parseYaml(render('envoy-redis-cluster.yaml.hbs', vars)).static_resources.clusters;
  const options = cluster.typed_extension_protocol_options['envoy.filters.network.redis_proxy'];
  t.match(options, { auth_password: { filename: '/run/redis.password' }, auth_username: { inline_string: 'app' } });
  t.match(cluster.transport_socket.typed_config, {
    sni: 'redis',
    common_tls_context: { validation_context: { trusted_ca: { filename: '/etc/ca.pem' } } },
  });
});

t.test('HAProxy takes its config with every node', async (t) => {
  const text = render('redis-cluster-haproxy.cfg.hbs', { stats_socket: '/tmp/cluster.sock' });
  t.equal(text.match(/^ {4}server /gm)?.length, 3);
  execFileSync('haproxy', ['-c', '-f', `${t.testdir({ 'haproxy.cfg': text })}/haproxy.cfg`], { stdio: 'pipe' });
});

t.test("a Sentinel's first config monitors nothing by default", async (t) => {
  t.notMatch(render('sentinel.conf.hbs'), /monitor/);
  t.match(
    render('sentinel.conf.hbs', { monitor: true, announce_ip: '10.0.0.5' }),
    /^sentinel announce-ip 10\.0\.0\.5$/m,
  );
  t.match(render('sentinel.conf.hbs', { monitor: true }), /^sentinel monitor shard1 10\.0\.0\.9 6379 2$/m);
  // A file with a password ends with a new line, as editors and echo leave it.
  const closed = render('sentinel.conf.hbs', { requirepass_file: '/run/sentinel.password' });
  t.match(closed, /^requirepass pass-word$/m);
});
