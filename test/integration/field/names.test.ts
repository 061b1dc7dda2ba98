import { readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { pathSafe, recordKey } from '../../../lib/model/naming.ts';
import { parseRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only } from '../support/bridging.ts';
import { recordConsul } from '../support/recording-consul.ts';

/* Masters with names that neither DNS, nor Consul's keys, nor a proxy takes as they are. */

const sandbox = await Sandbox.openFor(t, { name: 'field-names' });
const [consul, shard, other] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'shard1', replicas: 1 }),
  sandbox.redis({ name: 'other', replicas: 0 }),
]);
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));
const odd = [
  'team/app',
  'a@b',
  'my master',
  'кэш',
  'код',
  '.',
  '..',
  'a/../b',
  'k=v',
  'q"1',
  'p%20',
  'l\n2',
  'ж'.repeat(200),
];
/** Longer than a value of Consul's meta. */
const long = 'x'.repeat(600);
const names = ['shard1', ...odd];
/** Neither can be registered, because DNS does not distinguish them. */
const colliding = ['Clash', 'clash'];
/** A template of an unknown format: every value must be a bare word. */
const own = '{{#each (redisMasters)}}\nmaster {{name}} {{address}};\n{{/each}}\n';
const naming = { environment: undefined };
const ports = Object.fromEntries(names.map((name, i) => [name, 20_001 + i]));

t.test('every name is recorded, registered and in every file, and a failover is followed beside them', async (t) => {
  const { host, port } = other.master.address;
  for (const name of [...odd, ...colliding, long]) await sentinel.command('SENTINEL', 'MONITOR', name, host, port, 1);
  const { url, requests } = await recordConsul(t, consul);
  const tokenFile = sandbox.write('consul.token', 'the-token\n');
  const daemon = await sandbox.localDaemon({
    config: {
      consul: { address: url, datacenter: 'dc1', tokenFile },
      register: [{ kind: 'redis', name: 'shard1', address: formatAddress(shard.master.address) }],
      sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['*'] },
      templates: [
        {
          source: 'haproxy.cfg.hbs',
          destination: sandbox.path('haproxy.cfg'),
          vars: { bind: sandbox.host(), stats_socket: sandbox.path('admin.sock'), ports },
          check: ['haproxy', '-c', '-f', '{{file}}'],
        },
        {
          source: 'twemproxy.yml.hbs',
          destination: sandbox.path('twemproxy.yml'),
          check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
        },
        { source: 'app.env.hbs', destination: sandbox.path('app.env'), rolling: { limit: 1 } },
        { source: sandbox.write('own.hbs', own), destination: sandbox.path('own.txt') },
      ],
    },
  });
  t.match(await daemon.get('/ready'), { status: 200 }, 'names that are refused do not keep it from being ready');
  t.equal(await consul.key(recordKey(naming, 'clash')), undefined);
  const health = JSON.stringify((await daemon.get('/v1/health')).body);
  t.match(health, /its name has 600 bytes, and Consul takes 512: rename it in Sentinel/);
  for (const name of names) t.equal(parseRecord((await consul.key(recordKey(naming, name))) ?? '')?.name, name);
  const listed = (await consul.get<{ ServiceMeta: { master: string } }[]>('/v1/catalog/service/redis-master')) ?? [];
  t.strictSame(listed.map(({ ServiceMeta }) => ServiceMeta.master).toSorted(), names.toSorted());
  const lines = (file: string, pattern: RegExp) => readFileSync(sandbox.path(file), 'utf8').match(pattern)?.length;
  for (const [file, pattern] of [
    ['haproxy.cfg', /^frontend /gm],
    ['twemproxy.yml', /^ {4}- /gm],
    ['app.env', /_PORT=/gm],
  ] as const) {
    await waitFor(`${file} to have every master`, () => lines(file, pattern), {
      until: (count) => count === names.length,
    });
  }
  const bare = () => readFileSync(sandbox.path('own.txt'), 'utf8').match(/^master \S+/gm);
  t.strictSame(await waitFor('the bare words', bare, { until: (found) => found?.length === 7 }), [
    'master .',
    'master ..',
    'master a/../b',
    'master a@b',
    'master k=v',
    'master shard1',
    'master team/app',
  ]);
  t.match(JSON.stringify((await daemon.get('/v1/templates/own.txt')).body), /The loop leaves this item out/);

  await failOver(sentinel, 'shard1');
  const promoted = formatAddress(only(shard.replicas).address);
  await waitFor('the file to follow', async () => readFileSync(sandbox.path('haproxy.cfg'), 'utf8'), {
    until: (text) => text.includes(`server master ${promoted} check`),
  });
  // A name that is repaired for ever would cause writes for ever.
  const writes = daemon
    .logLines()
    .filter(({ loop, msg, key }) => loop === 'bridge' && msg === 'applied' && key !== 'shard1');
  t.strictSame(writes.map(({ key }) => key).toSorted(), odd.toSorted(), 'each was written once');
  for (const name of [...odd, long]) {
    t.match(await daemon.get(`/v1/masters/${pathSafe(name)}`), { status: 200, body: { name } });
    t.match(await daemon.get(`/v1/why/${pathSafe(name)}`), { status: 200 });
  }
  // Whatever part asks: ACLs, and agents of another datacenter, need it with each request.
  const lacking = requests.filter(
    ({ what, query, token }) => token !== 'the-token' || (query.get('dc') !== 'dc1' && !/^\w+ agent\//.test(what)),
  );
  t.strictSame([...new Set(lacking.map(({ what }) => what))], [], 'the token and the datacenter are in each request');
  const asked = [...new Set(requests.map(({ what }) => what))];
  for (const part of ['PUT txn', 'GET kv/', 'GET health/', 'PUT agent/service', 'PUT session/create', 'PUT kv/'])
    t.ok(
      asked.some((what) => what.startsWith(part)),
      part,
    );
});
