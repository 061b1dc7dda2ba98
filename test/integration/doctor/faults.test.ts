import { chmodSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { rules } from '../../../lib/doctor/diagnose.ts';
import type { Finding } from '../../../lib/doctor/rule.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { programFile } from '../../runner/environment.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { findUnlikeServer } from '../support/editions.ts';
import { examined, findingsOf } from '../support/examining.ts';

/*
 * Faults with their real causes, all on one stack. Each fault has a master of its own, or at least a name of its own for a
 * healthy master.
 */
const password = 'a-password-for-this-test';
/** After this time Sentinel corrects a replica that follows another address: longer than the test lasts. */
const failoverTimeoutMs = 600_000;
t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'doctor-faults' });
/** A program that starts Redis in another way; its argument is the config file. */
const starter = (name: string, command: string): string => {
  const file = sandbox.write(name, `#!/bin/sh\nexec ${command}\n`);
  chmodSync(file, 0o755);
  return file;
};
const unlike = findUnlikeServer();
const [consuls, even, ill, nat, bare, cut, other] = await Promise.all([
  sandbox.consulServers({ count: 2 }),
  sandbox.redis({ name: 'even', password, config: { appendonly: 'yes' } }),
  sandbox.redis({ name: 'ill', replicas: 4, password }),
  sandbox.redis({ name: 'nat', replicas: 3, password }),
  sandbox.redis({ name: 'bare', replicas: 0, password, program: starter('bare', 'redis-server - < "$1"') }),
  sandbox.redis({ name: 'cut', password }),
  sandbox.redis({ name: 'other', replicas: 0, password, ...(unlike === undefined ? {} : { program: unlike }) }),
]);
const sentinels = await sandbox.sentinels({ count: 4, masters: [even, ill], failoverTimeoutMs });
const [one, two, three, four] = sentinels as [SentinelServer, SentinelServer, SentinelServer, SentinelServer];
const [consul, lost] = consuls;
const passwordFile = sandbox.write('redis.password', password);
const file = sandbox.write(
  'doctor.yml',
  JSON.stringify({
    consul: { address: consul?.url },
    register: [even, bare, cut].map(({ master }) => ({
      ...{ kind: 'redis', address: formatAddress(master.address), passwordFile },
    })),
    sentinel: {
      addresses: sentinels.map(({ address }) => formatAddress(address)),
      redis: { passwordFile },
    },
  }),
);

const everySentinel = (...command: readonly (string | number)[]) =>
  Promise.all(sentinels.map((sentinel) => sentinel.command(...command)));

/** Has Sentinels monitor a server by a name, with a quorum. */
async function monitor(name: string, to: { at: readonly SentinelServer[]; server?: RedisServer; quorum?: number }) {
  const { at, server = even.master, quorum = 2 } = to;
  const { host, port } = server.address;
  await Promise.all(at.map((sentinel) => sentinel.command('SENTINEL', 'MONITOR', name, host, port, quorum)));
  const settings = ['auth-pass', password, 'failover-timeout', failoverTimeoutMs];
  await Promise.all(at.map((sentinel) => sentinel.command('SENTINEL', 'SET', name, ...settings)));
}

/** Has a server listen on another address of this machine too. */
const listenToo = (server: RedisServer, host: string) =>
  server.command('CONFIG', 'SET', 'bind', `${server.address.host} ${host}`);

const [notFollowing, dead, unsaved, small] = ill.replicas as [RedisServer, RedisServer, RedisServer, RedisServer];
const [routed, renamed, named] = nat.replicas as [RedisServer, RedisServer, RedisServer];

async function doWrong(): Promise<void> {
  await everySentinel('SENTINEL', 'DEBUG', 'info-period', 200, 'publish-period', 200);
  await everySentinel('SENTINEL', 'CONFIG', 'SET', 'resolve-hostnames', 'yes');
  await everySentinel('SENTINEL', 'CONFIG', 'SET', 'announce-hostnames', 'yes');
  await lost?.kill();
  await doWrongToVotes();
  await doWrongToRedis();
  await doWrongToAddresses();
}

async function doWrongToVotes(): Promise<void> {
  const three3 = [one, two, three];
  await monitor('never', { at: three3, quorum: 4 });
  await monitor('alone', { at: [one], quorum: 1 });
  await monitor('hasty', { at: three3, quorum: 1 });
  await monitor('c.1', { at: three3 });
  await monitor('c-1', { at: three3 });
  await monitor('split', { at: [one, two] });
  await monitor('split', { at: [three], server: bare.master });
  await monitor('bare', { at: three3, server: bare.master });
  await monitor('nat', { at: three3, server: nat.master });
  await three.command('SENTINEL', 'SET', 'hasty', 'down-after-milliseconds', 300);
  await one.command('SENTINEL', 'SET', 'never', 'failover-timeout', 1_000);
  await four.command('SENTINEL', 'SET', 'ill', 'auth-pass', 'another-one');
}

async function doWrongToRedis(): Promise<void> {
  const { host, port } = ill.master.address;
  await other.master.command('REPLICAOF', host, port);
  await notFollowing.command('CONFIG', 'SET', 'masterauth', 'another-one');
  await small.command('CONFIG', 'SET', 'maxmemory', '100mb');
  await dead.kill();
  await small.command('CONFIG', 'SET', 'requirepass', '');
  const [, folder = ''] = (await unsaved.command('CONFIG', 'GET', 'dir')) as string[];
  t.equal(dirname(folder), sandbox.folder);
  rmSync(folder, { recursive: true });
  await unsaved.command('BGSAVE');
  await notFollowing.command('CLIENT', 'KILL', 'TYPE', 'master');
  await bare.master.command('ACL', 'SETUSER', 'default', '-client|pause');
  for (const replica of cut.replicas) replica.pause();
}

async function doWrongToAddresses(): Promise<void> {
  const [second, third] = [await sandbox.address(), await sandbox.address()];
  // A Sentinel that never knew the first address of a replica sees no twins.
  const known = () => Promise.all([one, two, three].map((sentinel) => sentinel.replicaInfos('nat')));
  await waitFor('the Sentinels to know the replicas', known, {
    until: (lists) =>
      lists.every((list) => list.length === nat.replicas.length && list.every(({ runid }) => runid !== '')),
  });
  for (const replica of nat.replicas) await replica.command('CONFIG', 'SET', 'replica-priority', 0);
  await listenToo(nat.master, second.host);
  await routed.command('REPLICAOF', second.host, nat.master.address.port);
  await listenToo(renamed, third.host);
  await renamed.command('CONFIG', 'SET', 'replica-announce-ip', third.host);
  await listenToo(named, '127.0.0.1');
  await named.command('CONFIG', 'SET', 'replica-announce-ip', 'localhost');
  for (const replica of [renamed, named]) await replica.command('CLIENT', 'KILL', 'TYPE', 'master');
}

const at = ({ address }: Pick<RedisServer | SentinelServer, 'address'>): string => formatAddress(address);
const wanted: readonly (readonly [rule: string, subject: string])[] = [
  ['sentinels-even', 'even'],
  ['sentinels-too-few', 'alone'],
  ['quorum-unreachable', 'never'],
  ['quorum-of-one', 'hasty'],
  ['timeouts-unfit', 'never'],
  ['sentinel-settings-differ', 'hasty'],
  ['sentinels-disagree', 'split'],
  ['sentinel-cannot-reach', at(four)],
  ['replica-not-replicating', at(bare.master)],
  ['master-without-replica', 'bare'],
  ['no-config-file', at(bare.master)],
  ['names-collide', 'c-1'],
  ['masterauth-differs', at(notFollowing)],
  ['password-missing', at(small)],
  ['replica-not-replicating', at(notFollowing)],
  ['replica-down', at(dead)],
  ['save-failed', at(unsaved)],
  ['no-persistence', 'ill'],
  ['priority-equal-unlike', 'ill'],
  ...(unlike !== undefined ? [['priority-equal-versions', 'ill'] as const] : []),
  ['priority-none', 'nat'],
  ['announce-mismatch', at(routed)],
  ['announce-twins', 'nat'],
  ['hostnames-mixed', 'nat'],
  ['loopback-published', 'nat'],
  ['consul-unreachable', 'consul'],
  ['isolation-refused', at(bare.master)],
  ['isolation-near', at(cut.master)],
  ['isolation-late', 'hasty'],
];

const findings = (): Promise<readonly Finding[]> => findingsOf(file);

t.test('each fault is found when its cause exists', async (t) => {
  await doWrong();
  const missing = async () => {
    const found = await findings();
    return wanted.filter(([rule, subject]) => !found.some((one) => one.rule === rule && one.subject === subject));
  };
  await waitFor('all faults to be found', missing, { until: (list) => list.length === 0, timeoutMs: 90_000 });
  for (const [rule, subject] of wanted) t.pass(`${rule}: ${subject}`);
  const healthy = (await findings()).filter(({ subject }) => subject === at(even.master));
  t.strictSame(healthy, [], 'a healthy instance has no findings');
});

t.test('a Sentinel that stopped for a while is in TILT', async () => {
  one.pause();
  const stoodMs = performance.now();
  await waitFor('more than two seconds', () => performance.now() - stoodMs > 2_500);
  one.resume();
  await waitFor('it to be found', findings, {
    until: (found) => found.some(({ rule, subject }) => rule === 'sentinel-tilt' && subject === at(one)),
    timeoutMs: 20_000,
  });
});

t.test('if the clock of this machine is off, the finding names it and no other machine', async (t) => {
  // Redis does not start under libfaketime (jemalloc), so the test moves the clock of the doctor.
  const moved = 'data:text/javascript,const now = Date.now; Date.now = () => now() + 600_000';
  const argv = ['--import', moved, programFile(), 'doctor', '--json', '--config', file];
  const { stdout } = await execa(process.execPath, argv, { reject: false, timeout: 60_000 });
  const found = (JSON.parse(stdout).findings as Finding[]).filter(({ rule }) => rule === 'clock-skew');
  t.strictSame(
    found.map(({ subject }) => subject),
    ['this machine'],
  );
  // Redis reports its clock with TIME, Sentinel with INFO, Consul with the date of its answer.
  const clocks = (await examined(file)).clocks.map(({ whose }) => whose);
  t.match(found[0]?.text, new RegExp(`is (599|600)[.\\d]* s ahead of those of .* and ${clocks.length - 2} more$`));
  for (const whose of ['consul', at(four), at(even.master)]) t.ok(clocks.includes(whose), whose);
});

t.test(
  'every rule has a real cause here or in doctor.test.ts, except the rules about versions of Consul',
  async (t) => {
    const elsewhere = await readFile(new URL('doctor.test.ts', import.meta.url), 'utf8');
    const caused = new Set([...wanted.map(([rule]) => rule), 'sentinel-tilt', 'clock-skew', 'priority-equal-versions']);
    const without = rules
      .map(({ name }) => name)
      .filter((name) => !caused.has(name) && !elsewhere.includes(`'${name}'`));
    t.strictSame(without.sort(), ['consul-small-transactions', 'consul-too-new', 'consul-too-old']);
  },
);
