import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { blocksOf, readPage } from '../../docs/pages.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { RespConnection } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { recordOf } from '../support/bridging.ts';
import { idOf, instanceOf } from '../support/registering.ts';

// A whole daemon. Its Sentinels know nothing at first, and are found in Consul.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'provisioning' });
const [consul, shard, secret] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'desired1', password: 'letmein' }),
  sandbox.redis({ name: 'foreign', replicas: 0, password: 'letmein' }),
]);
const sentinels = await sandbox.sentinels({ masters: [], count: 3 });
const sentinelUser = await leastUser();
await Promise.all(sentinels.map((sentinel) => sentinel.command(...sentinelUser)));
const access = { username: 'switchmaster', passwordFile: sandbox.write('sentinel.password', 'PASSWORD') };
const passwordFile = sandbox.write('redis.password', 'letmein');
const settings = {
  consul: { address: consul.url },
  log: { format: 'json' },
  register: [
    ...sentinels.map(({ address }) => ({
      kind: 'sentinel',
      address: formatAddress(address),
      check: { interval: '200ms' },
      ...access,
    })),
    {
      kind: 'redis',
      discover: { hosts: shard.servers.map(({ address }) => address.host), masters: ['desired1'] },
      passwordFile,
      check: { interval: '200ms' },
    },
  ],
  sentinel: { service: 'redis-sentinel', resync: '1s', ...access, redis: { passwordFile } },
};
const daemon = await sandbox.localDaemon({ ready: '/live', config: settings });

/** The Sentinel user of the docs, with what they add for this daemon. */
async function leastUser(): Promise<string[]> {
  const page = await readPage('docs/reference/redis-acl.md');
  const commands = blocksOf(page).filter(({ language }) => language === 'redis');
  const row = (purpose: string) => {
    const line = page.text.split('\n').find((one) => one.startsWith(`| ${purpose} |`)) ?? '';
    const [, rules = ''] = /`([^`]+)` \|$/.exec(line) ?? [];
    return rules.replaceAll('\\|', '|').split(' ');
  };
  const more = [row('`sentinel.provision` with `desired/` keys'), row('`register`, with `kind: sentinel`')];
  return [...(commands[1]?.content.trim().split(' ') ?? []), ...more.flat()];
}

function monitored(sentinel: SentinelServer, name: string): Promise<Record<string, string> | undefined> {
  return sentinel.masterInfo(name).catch((error: Error) => {
    if (error.message.includes('No such master')) return undefined;
    throw error;
  });
}

function desire(name: string, over: Record<string, unknown> = {}): Promise<void> {
  const { host, port } = (name === 'desired1' ? shard : secret).master.address;
  const options = { 'down-after-milliseconds': 1_000, 'failover-timeout': 10_000 };
  return consul.putKey(`redis/desired/${name}`, JSON.stringify({ host, port, quorum: 2, options, ...over }));
}

const isAsDesired = (info: Record<string, string> | undefined) =>
  info?.quorum === '2' && info['down-after-milliseconds'] === '1000';

function untilAll(name: string, what: string, until: (info: Record<string, string> | undefined) => boolean) {
  const all = () => Promise.all(sentinels.map((one) => monitored(one, name)));
  return waitFor(`all Sentinels to ${what}`, all, { until: (infos) => infos.every(until), timeoutMs: 60_000 });
}

t.test('every Sentinel monitors a desired master, and the bridge writes its record', async (t) => {
  await desire('desired1');
  await untilAll('desired1', 'monitor it', isAsDesired);
  const record = await recordOf(consul, 'desired1');
  t.strictSame(record.master, shard.master.address);
  await untilAll(
    'desired1',
    'know each other and the replica',
    (info) => info?.['num-other-sentinels'] === '2' && info['num-slaves'] === '1',
  );
  const { body } = await daemon.get('/v1/history');
  t.match(JSON.stringify(body), /SENTINEL MONITOR desired1/);
  t.notMatch(JSON.stringify(body), /letmein/);
  t.notMatch(await consul.key('redis/provisioned/desired1'), /letmein/);
});

t.test('the registrar finds and registers the instances that the Sentinels list on this node', async (t) => {
  const [replica] = shard.replicas as [RedisServer];
  for (const [server, role] of [
    [shard.master, 'master'],
    [replica, 'replica'],
  ] as const) {
    const one = await waitFor(`the ${role} to be registered`, () => instanceOf(consul, idOf(server)), {
      until: (found) => found?.Checks.every(({ Status }) => Status === 'passing') === true,
    });
    t.match(one?.Service, { Tags: ['desired1', role], Meta: { discovered: 'true' } });
  }
});

t.test('a Sentinel gets no command while nothing changes', async (t) => {
  const said = async () => JSON.stringify((await daemon.get('/v1/history')).body).split('SENTINEL SET desired1').length;
  const rounds = async () => {
    const lines = String((await daemon.get('/metrics')).body).split('\n');
    const counted = lines.filter((line) => /^switchmaster_reconciles_total\{.*loop="provisioner"/.test(line));
    return counted.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  // The history has the last commands a moment after the Sentinels.
  const saidMeanwhile = async () => {
    const [before, count] = [await said(), await rounds()];
    await waitFor('two more rounds', rounds, { until: (now) => now >= count + 2 });
    return (await said()) - before;
  };
  t.equal(await waitFor('a time without a command', saidMeanwhile, { until: (count) => count === 0 }), 0);
});

t.test('a changed option is set, and nothing else', async (t) => {
  await desire('desired1', { quorum: 3, options: { 'down-after-milliseconds': 1_500, 'failover-timeout': 10_000 } });
  await untilAll('desired1', 'have both', (info) => info?.quorum === '3' && info['down-after-milliseconds'] === '1500');
  await desire('desired1');
  await untilAll('desired1', 'be as before', isAsDesired);
  t.match(await daemon.get('/live'), { status: 200 });
});

t.test('a Sentinel that refuses a setting does not keep it from the others', async (t) => {
  const [first, ...others] = sentinels as [SentinelServer, ...SentinelServer[]];
  await first.command('ACL', 'SETUSER', 'switchmaster', '-sentinel|set');
  await desire('desired1', { quorum: 1 });
  await waitFor('the others to have it', () => Promise.all(others.map((one) => monitored(one, 'desired1'))), {
    until: (infos) => infos.every((info) => info?.quorum === '1'),
  });
  t.equal((await monitored(first, 'desired1'))?.quorum, '2');
  await waitFor('the refusal to be reported', async () => JSON.stringify((await daemon.get('/v1/health')).body), {
    until: (health) => health.includes('desired-failed') && health.includes(formatAddress(first.address)),
  });
  await first.command('ACL', 'SETUSER', 'switchmaster', '+sentinel|set');
  await untilAll('desired1', 'have it', (info) => info?.quorum === '1');
  await first.command('ACL', 'LOG', 'RESET');
  await desire('desired1');
  await untilAll('desired1', 'have the former one', (info) => info?.quorum === '2');
});

t.test('after a failover an empty Sentinel starts to monitor the new master', async (t) => {
  const [first, , last] = sentinels as [SentinelServer, SentinelServer, SentinelServer];
  const [replica] = shard.replicas;
  // It is selected, and becomes a master only after it continues. Sentinel selects none that it has seen down for a second.
  const order = async () => {
    replica?.pause();
    const reply = await first.command('SENTINEL', 'FAILOVER', 'desired1').catch(() => undefined);
    if (reply !== 'OK') replica?.resume();
    return reply === 'OK';
  };
  await waitFor('Sentinel to fail over', order, { intervalMs: 200 });
  await desire('desired1', { quorum: 3 });
  await waitFor('the failover to be left alone', async () => JSON.stringify((await daemon.get('/v1/history')).body), {
    until: (history) => history.includes('desired1 is failing over: nothing changes until it has ended'),
  });
  t.equal((await monitored(first, 'desired1'))?.quorum, '2');
  replica?.resume();
  await recordOf(consul, 'desired1', { ...(replica === undefined ? {} : { master: replica }) });
  await untilAll('desired1', 'have the new quorum', (info) => info?.quorum === '3');
  await desire('desired1');
  await untilAll('desired1', 'have the former one', (info) => info?.quorum === '2');
  await last.command('SENTINEL', 'REMOVE', 'desired1');
  const info = await waitFor('it to be monitored', () => monitored(last, 'desired1'));
  t.equal(info?.ip, replica?.address.host);
});

t.test('nothing changes without a majority of the Sentinels', async (t) => {
  const [first, second, third] = sentinels as [SentinelServer, SentinelServer, SentinelServer];
  second.pause();
  third.pause();
  await desire('foreign');
  await waitFor(
    'the daemon to wait for a majority',
    async () => JSON.stringify((await daemon.get('/v1/history')).body),
    { until: (history) => history.includes('nothing changes without a majority') },
  );
  t.equal(await monitored(first, 'foreign'), undefined);
  second.resume();
  third.resume();
  await untilAll('foreign', 'monitor it', (info) => info !== undefined);
});

t.test('a master whose key is gone is removed, and one that no provisioner added stays', async (t) => {
  const { host, port } = secret.master.address;
  for (const one of sentinels) await one.command('SENTINEL', 'MONITOR', 'byhand', host, port, 2);
  await consul.putKey('redis/provisioned/byhand', 'an import of keys');
  const held = () => daemon.logLines().filter(({ msg, key }) => msg === 'held' && key === 'byhand');
  await waitFor('the report of a note that no provisioner wrote', held, { until: ({ length }) => length > 0 });
  await consul.delete('/v1/kv/redis/desired/foreign');
  await untilAll('foreign', 'forget it', (info) => info === undefined);
  for (const one of sentinels) t.ok(await monitored(one, 'byhand'));
  await waitFor('the note to be gone', () => consul.key('redis/provisioned/foreign'), {
    until: (key) => key === undefined,
  });
  await consul.delete('/v1/kv/redis/provisioned/byhand');
});

t.test('a changed password reaches every Sentinel, also where the old one has made the master down', async (t) => {
  const links = shard.servers.map(({ address }) => RespConnection.open(address, { password: 'letmein' }));
  for (const link of await Promise.all(links)) {
    await link.command('CONFIG', 'SET', 'requirepass', 'other-word', 'masterauth', 'other-word');
    for (const type of ['normal', 'pubsub']) await link.command('CLIENT', 'KILL', 'TYPE', type);
    link.close();
  }
  await untilAll('desired1', 'find it down', (info) => info?.flags?.includes('o_down') === true);
  const before = await consul.key('redis/provisioned/desired1');
  sandbox.write('redis.password', 'other-word');
  await daemon.reload(settings);
  await untilAll('desired1', 'be let in again', (info) => info?.flags === 'master');
  const after = await waitFor('the note', () => consul.key('redis/provisioned/desired1'), {
    until: (key) => key !== before,
  });
  t.notMatch(after, /other-word/);
  const history = JSON.stringify((await daemon.get('/v1/history')).body);
  t.match(history, /SENTINEL SET desired1 auth-pass at/);
  t.notMatch(history, /letmein|other-word/);
  await recordOf(consul, 'desired1');
});

t.test('Sentinels that were never reached and that its own do not list do not delay a master', async (t) => {
  const addresses = ['127.0.0.9:1', '127.0.0.9:2', '127.0.0.9:3', '127.0.0.9:4'];
  await daemon.reload({ ...settings, sentinel: { ...settings.sentinel, addresses } });
  const health = async () => JSON.stringify((await daemon.get('/v1/health')).body);
  await waitFor('the new settings', health, { until: (text) => text.includes('127.0.0.9:4 has never answered') });
  await desire('desired1', { quorum: 3 });
  await untilAll('desired1', 'have the new quorum', (info) => info?.quorum === '3');
  await desire('foreign');
  await waitFor('a new master to wait', health, {
    until: (text) => text.includes('only 3 of 7 Sentinels answer: nothing changes without a majority'),
  });
  for (const one of sentinels) t.equal(await monitored(one, 'foreign'), undefined);
});

t.test('the Sentinel user of the documentation has every permission for this', async (t) => {
  for (const sentinel of sentinels) t.strictSame(await sentinel.command('ACL', 'LOG'), [], sentinel.name);
});
