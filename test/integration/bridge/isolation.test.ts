import t from 'tap';
import type { MasterState } from '../../../lib/http/views.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import type { Reason } from '../../../lib/model/health.ts';
import { waitFor, within } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only } from '../support/bridging.ts';

/* A daemon beside its masters, with servers that stop answering. test/isolation/ has partitions of a network. */
t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'isolation' });
const [consul, shard, single] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'shard' }),
  sandbox.redis({ name: 'single', replicas: 0 }),
]);
const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard, single], downAfterMs: 60_000 }));
const replica = only(shard.replicas);
const user = { username: 'probe', passwordFile: sandbox.write('password', 'PASSWORD\n') };
const rules = 'on >PASSWORD resetchannels -@all +info +role +config|get +client|pause +client|unpause'.split(' ');
const setUser = (server: RedisServer, ...more: readonly string[]) =>
  server.command('ACL', 'SETUSER', 'probe', ...rules, ...more);
await Promise.all([...shard.servers, single.master].map((server) => setUser(server)));

const configOf = (isolation?: 'ignore') => ({
  consul: { address: consul.url },
  register: [...shard.servers, single.master].map(({ address }) => ({
    ...{ kind: 'redis', address: formatAddress(address), ...user },
    ...(isolation === undefined ? {} : { isolation }),
  })),
  sentinel: { addresses: [formatAddress(sentinel.address)], fence: 'none' },
});
const daemon = await sandbox.localDaemon({ config: configOf() });
const isolationOf = async (name: string) =>
  ((await daemon.get(`/v1/masters/${name}`)).body as MasterState | undefined)?.isolation;
const untilState = (state: string, name = 'shard') =>
  waitFor(`${name} to be ${state}`, () => isolationOf(name), { until: (found) => found?.state === state });
const reasons = async () => ((await daemon.get('/v1/health')).body as { readonly reasons: readonly Reason[] }).reasons;
const write = () => shard.master.command('SET', 'key', 'value');

t.test('a master with a replica is watched, and one without is never paused', async (t) => {
  t.match(await untilState('connected'), {
    ...{ address: formatAddress(shard.master.address), text: 'it hears a replica in sync', writes: 'accepted' },
  });
  t.match(await untilState('inactive', 'single'), {
    ...{ text: 'its writes are not paused: it has no replica, so nobody can take its place', writes: 'accepted' },
  });
});

t.test('a user that may not pause is named before it matters', async (t) => {
  await setUser(shard.master, '-client|pause');
  await shard.master.command('CLIENT', 'KILL', 'USER', 'probe');
  const found = await waitFor('the reason', async () => (await reasons()).find(({ code }) => code === 'redis-denied'));
  t.match(found, { level: 'warning', text: /refuses CLIENT PAUSE WRITE \(NOPERM.*\+client\|pause \+client\|unpause/ });
  await setUser(shard.master);
  await shard.master.command('CLIENT', 'KILL', 'USER', 'probe');
  await waitFor('no reason', async () => (await reasons()).every(({ code }) => code !== 'redis-denied'));
});

t.test('in maintenance nothing is paused', async (t) => {
  await consul.put('/v1/kv/redis/maintenance/shard', { by: 'ops', at: new Date().toISOString(), until: null });
  t.match(await untilState('inactive'), { text: /it is in maintenance/ });
  await consul.delete('/v1/kv/redis/maintenance/shard');
  await untilState('connected');
});

t.test('a master that hears nobody accepts reads and delays writes, until Consul answers', async (t) => {
  sentinel.pause();
  replica.pause();
  t.match(
    await waitFor('Consul alone', () => isolationOf('shard'), { until: (found) => /Consul/.test(found?.text ?? '') }),
    {
      ...{ state: 'connected', writes: 'accepted' },
    },
  );
  t.equal(await write(), 'OK', 'Consul alone is enough');
  consul.pause();
  t.match(await untilState('isolated'), { writes: 'paused', text: /^it is isolated: 0 of 1 Sentinels/ });
  t.match(
    (await reasons()).find(({ code }) => code === 'isolated'),
    {
      ...{ level: 'critical', subject: { kind: 'master', name: 'shard' }, hint: 'switchmaster why shard' },
    },
  );
  t.equal(await shard.master.command('GET', 'key'), 'value');
  const late = write();
  t.equal(await within(late, 2_500), undefined, 'the pause is renewed');
  t.equal(await within(single.master.command('SET', 'key', 'value'), 1_000), 'OK');
  consul.resume();
  t.equal(await late, 'OK');
  t.match(await untilState('connected'), { text: "it hears Consul's leader", writes: 'accepted' });
  const { others } = (await daemon.get('/v1/why/shard')).body as {
    readonly others: readonly { readonly summary: string }[];
  };
  const summaries = others
    .map(({ summary }) => summary.replace(/[\d.]+ s/, 'N s'))
    .filter((text) => /writes/.test(text));
  const server = `master ${formatAddress(shard.master.address)}`;
  t.strictSame(summaries, [
    `${server}: it hears Consul's leader, after N s: writes resumed`,
    `${server}: 0 of 1 Sentinels and not Consul's leader answer, and no replica acknowledges for N s: writes paused`,
  ]);
});

t.test('a pause ends with the daemon, within two seconds', async (t) => {
  consul.pause();
  await untilState('isolated');
  await daemon.stop();
  t.equal(await within(write(), 2_500), 'OK');
  for (const server of [consul, sentinel, replica]) server.resume();
});

t.test('isolation: ignore watches nothing', async (t) => {
  const other = await sandbox.localDaemon({ name: 'other', config: configOf('ignore') });
  const { body } = await other.get('/v1/masters/shard');
  t.equal((body as MasterState).isolation, null);
});
