import { Redis } from 'ioredis';
import t from 'tap';
import { Decisions } from '../../../lib/consul/decisions.ts';
import { formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { SentinelRecorder } from '../../sandbox/recorder.ts';
import { pairs, RespConnection, redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, recordOf, startBridge } from '../support/bridging.ts';
import { startEndpoint } from '../support/endpoints.ts';

// One Consul, three Sentinels and a bridge; an endpoint on the bridge's node, and one on a node without a bridge.
const sandbox = await Sandbox.openFor(t, { name: 'endpoint' });
const [consul, crashed, planned] = await Promise.all([
  sandbox.consul(),
  ...['crashed', 'planned'].map((name) => sandbox.redis({ name, replicas: 2 })),
]);
if (crashed === undefined || planned === undefined) throw new Error('there are two shards');
// Sentinel announces a failover when every replica follows, or after failover-timeout. This one cannot follow another master.
await only(crashed.replicas.slice(1)).command('CONFIG', 'SET', 'replica-priority', 0, 'masterauth', 'wrong');
const sentinels = await sandbox.sentinels({ masters: [crashed, planned] });
const sentinel = only(sentinels.slice(0, 1));
const decisions = new Decisions();
const bridge = startBridge(t, {
  consul,
  sentinels,
  onDecision: (record) => decisions.announce(record),
  onReboot: (message) => near.part.reportReboot(message),
});
const [near, far] = await Promise.all([
  startEndpoint(t, { consul, decisions, bridge: bridge.part }),
  startEndpoint(t, { consul }),
]);
await Promise.all([crashed, planned].map(({ name }) => recordOf(consul, name)));
await waitFor('both endpoints to know each master and each other', async () => {
  const replies = await Promise.all(
    [near, far].flatMap(({ address }) => [
      redisCli(address, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'planned']),
      redisCli(address, ['SENTINEL', 'REPLICAS', 'planned']).then((list) => Array.isArray(list) && list.length === 2),
      redisCli(address, ['SENTINEL', 'SENTINELS', 'crashed']).then((list) => Array.isArray(list) && list.length === 1),
    ]),
  );
  return replies.every((reply) => reply !== null && reply !== false);
});

t.test('what clients read has the same value as at a Sentinel', async (t) => {
  const keys =
    'name ip port flags config-epoch num-slaves down-after-milliseconds parallel-syncs role-reported quorum failover-timeout runid'.split(
      ' ',
    );
  const replicaKeys = 'name ip port flags master-link-status master-host master-port slave-priority runid'.split(' ');
  const pick = (fields: Record<string, string>, of: readonly string[]) => of.map((key) => [key, fields[key]]);
  const master = async (at: typeof near.address) => pairs(await redisCli(at, ['SENTINEL', 'MASTER', 'planned']));
  const untilSame = async <T>(read: (at: typeof near.address) => Promise<T>) => {
    const both = () => Promise.all([near, sentinel].map(({ address }) => read(address)));
    // The bridge reads a moment later what changes at the Sentinel.
    const [ours, real] = await waitFor('the same values', both, {
      until: ([one, other]) => JSON.stringify(one) === JSON.stringify(other),
    });
    t.strictSame(ours, real);
  };
  await untilSame(async (at) => pick(await master(at), keys));
  const replicas = async (at: typeof near.address) => {
    const list = await redisCli(at, ['SENTINEL', 'REPLICAS', 'planned']);
    const fields = Array.isArray(list) ? list.map(pairs) : [];
    return fields.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1)).map((one) => pick(one, replicaKeys));
  };
  await untilSame(replicas);
});

t.test('what changes something is refused', async (t) => {
  for (const order of [
    ['MONITOR', 'x', '127.0.0.1', '1', '1'],
    ['REMOVE', 'planned'],
    ['RESET', '*'],
    ['SET', 'planned', 'quorum', '1'],
    ['CONFIG', 'SET', 'loglevel', 'debug'],
    ['FAILOVER', 'planned'],
  ])
    await t.rejects(redisCli(near.address, ['SENTINEL', ...order]), /is refused/, order.join(' '));
});

t.test('a killed master: every endpoint reports it before any Sentinel does, in the same words', async (t) => {
  for (const one of sentinels) await one.command('SENTINEL', 'SET', 'crashed', 'failover-timeout', 5_000);
  const open = ({ address }: typeof sentinel | typeof near) => SentinelRecorder.open(address);
  const recorders = await Promise.all([near, far, sentinel].map(open));
  const others = await Promise.all(sentinels.slice(1).map(open));
  const client = new Redis({
    sentinels: [{ host: far.address.host, port: far.address.port }],
    name: 'crashed',
    lazyConnect: true,
  });
  client.on('error', () => {});
  t.teardown(() => client.disconnect());
  await client.connect();
  await client.set('key', 'before');
  await crashed.master.kill();
  const switches = await Promise.all(
    recorders.map((recorder) => recorder.event('+switch-master', { master: 'crashed' })),
  );
  const [nearSwitch, farSwitch, realSwitch] = switches;
  t.equal(nearSwitch?.payload, realSwitch?.payload);
  t.equal(farSwitch?.payload, realSwitch?.payload);
  const ordered = [...recorders, ...others]
    .flatMap(({ events }) => events)
    .findLast(({ channel }) => channel === '+failover-state-wait-promotion');
  // Sentinel reads INFO every second, and may do so just after the promotion. On a busy machine, it is first then.
  const latestMs = Math.max(realSwitch?.atMs ?? 0, (ordered?.atMs ?? 0) + 500);
  const sooner = [nearSwitch, farSwitch].map((event) => (event?.atMs ?? Number.NaN) < latestMs);
  t.strictSame(sooner, [true, true], 'sooner, where Sentinel does not read INFO just after the promotion');
  await waitFor('the client to write again', () => client.set('key', 'after'));
  const [host, , port] = [...(realSwitch?.payload.split(' ').slice(-2) ?? [])].flatMap((word) => [word, ' ']);
  t.ok(
    sameAddress(
      { host: client.stream.remoteAddress ?? '', port: client.stream.remotePort ?? 0 },
      { host: host ?? '', port: Number(port) },
    ),
  );
  await waitFor('the replica that died to be listed as down', async () => {
    const list = await redisCli(far.address, ['SENTINEL', 'REPLICAS', 'crashed']);
    const down = (Array.isArray(list) ? list.map(pairs) : []).find(
      ({ name }) => name === formatAddress(crashed.master.address),
    );
    return down?.flags === 's_down,slave';
  });
});

t.test("a replica that starts again: the Sentinels' message, once", async (t) => {
  const recorder = await SentinelRecorder.open(near.address);
  const real = await SentinelRecorder.open(sentinel.address);
  t.teardown(() => Promise.all([recorder, real].map((one) => one.close())));
  const replica = planned.replicas[0];
  if (replica === undefined) throw new Error('there is a replica');
  await replica.kill();
  await replica.start();
  const [ours, theirs] = await Promise.all(
    [recorder, real].map((one) => one.event('+reboot', { master: 'planned', timeoutMs: 45_000 })),
  );
  t.equal(ours?.payload, theirs?.payload);
  t.equal(recorder.events.filter(({ channel }) => channel === '+reboot').length, 1);
});

t.test('RESP3 gets maps and pushes', async (t) => {
  const connection = await RespConnection.open(near.address);
  t.teardown(() => connection.close());
  const hello = pairs(await connection.command('HELLO', '2'));
  t.match(hello, { server: 'redis', mode: 'sentinel', proto: '2' });
  await t.rejects(connection.command('HELLO', '4'), /^NOPROTO/);
});

t.test('while Consul is down it keeps the last record and reports that', async (t) => {
  const before = await redisCli(near.address, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'planned']);
  await consul.stop();
  const info = await waitFor('the endpoint to notice', () => redisCli(near.address, ['INFO', 'switchmaster']), {
    until: (text) => String(text).includes('switchmaster_consul:stale'),
  });
  t.match(String(info), /switchmaster_consul_stale_since:\d{4}-/);
  t.strictSame(await redisCli(near.address, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'planned']), before);
  await t.rejects(redisCli(near.address, ['SENTINEL', 'CKQUORUM', 'planned']), /NOQUORUM/);
  const late = await startEndpoint(t, { consul });
  await t.rejects(
    redisCli(late.address, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'planned']),
    /has not read the records/,
  );
});
