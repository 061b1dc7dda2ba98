import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { idOf, putRecordOf, register, replicaOf, startRegistrar, untilSays } from '../support/registering.ts';

// Each state of the deep check, by its cause in the field. One registrar probes all of them.
t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'causes' });

/**
 * A redis-server with its data on a disk of a megabyte, which only it sees and which ends with it. If no disk may be
 * mounted, none of its files can grow beyond that.
 */
function onSmallDisk(): { readonly program: string; readonly dir: string } {
  const dir = sandbox.path('small-disk');
  mkdirSync(dir);
  const mount = `mount -t tmpfs -o size=1m tmpfs ${dir}`;
  const script = `#!/bin/sh
if unshare --mount ${mount} 2>/dev/null; then
  exec unshare --mount sh -c '${mount} && exec redis-server "$@"' sh "$@"
fi
trap '' XFSZ
ulimit -f 1024
exec redis-server "$@"
`;
  const program = sandbox.write('redis-on-small-disk', script);
  chmodSync(program, 0o755);
  return { program, dir };
}

const { program, dir } = onSmallDisk();
const debug = { 'enable-debug-command': 'yes' };
// By default an idle master sends nothing for ten seconds, longer than the lag that is a warning here.
const often = { 'repl-ping-replica-period': '1' };
const [consul, hung, watched, cut, swapped, synced, loading, full, quorum, lone] = await Promise.all([
  sandbox.consul(),
  sandbox.redis({ name: 'hung', replicas: 0, config: debug }),
  sandbox.redis({ name: 'watched', password: 'secret', config: often }),
  sandbox.redis({ name: 'cut', config: { ...often, 'repl-timeout': '10' } }),
  sandbox.redis({ name: 'swapped', config: often }),
  sandbox.redis({ name: 'synced', config: { ...debug, ...often } }),
  sandbox.redis({
    name: 'loading',
    replicas: 0,
    config: { ...debug, 'key-load-delay': '100', 'loading-process-events-interval-bytes': '1024' },
  }),
  sandbox.redis({ name: 'full', replicas: 0, program, config: { dir, appendonly: 'yes', rdbcompression: 'no' } }),
  sandbox.redis({ name: 'quorum', replicas: 0 }),
  sandbox.redis({ name: 'lone', replicas: 0, config: { 'cluster-enabled': 'yes' } }),
]);
const [first, ...others] = (await sandbox.sentinels({ masters: [quorum] })) as [SentinelServer, ...SentinelServer[]];
const node = lone.master;
const registrar = await register(t, {
  consul,
  shards: [hung, watched, cut, swapped, synced, loading, full],
  checks: { maxLagMs: 2_000, maxLinkDownMs: 2_000 },
  others: [
    { kind: 'sentinel', address: first.address },
    { kind: 'cluster', name: 'lone', address: node.address },
  ],
});

t.test('each state of the check has a real cause', { jobs: 10 }, async (t) => {
  t.test('a process that hangs is critical', async () => {
    const id = idOf(hung.master);
    hung.master.pause();
    await untilSays(consul, id, 'critical: does not answer in time');
    hung.master.resume();
    await untilSays(consul, id, 'passing: answers');
    const sleep = redisCli(hung.master.address, ['DEBUG', 'SLEEP', '8'], { timeoutMs: 30_000 });
    await untilSays(consul, id, 'critical: does not answer in time');
    await sleep;
    await untilSays(consul, id, 'passing: answers');
    await hung.master.kill();
    await untilSays(consul, id, 'critical: refuses connections');
  });

  t.test('a full memory is a warning', async () => {
    const { master } = watched;
    await master.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1');
    await untilSays(consul, idOf(master), 'warning: memory is full and nothing may be evicted: writes are refused');
    await master.command('CONFIG', 'SET', 'maxmemory', '0');
    await untilSays(consul, idOf(master), 'passing: answers');
  });

  t.test('a full disk is a warning', async (t) => {
    const { master } = full;
    const id = idOf(master);
    // The append-only file is written after the answer; from then on every write is refused.
    t.equal(await master.command('SET', 'large', 'x'.repeat(2 * 1024 * 1024)), 'OK');
    await untilSays(consul, id, 'warning: the last write to the append-only file failed (aof_last_write_status)');
    await t.rejects(master.command('SET', 'small', 'x'), /MISCONF/);
    await master.command('CONFIG', 'SET', 'appendonly', 'no');
    await untilSays(consul, id, 'passing: answers');
    await master.command('BGSAVE');
    await untilSays(consul, id, 'warning: the last snapshot failed (rdb_last_bgsave_status)');
    await master.command('FLUSHALL');
    await master.command('BGSAVE');
    await untilSays(consul, id, 'passing: answers');
  });

  t.test('a replica whose replication is refused has no link', async () => {
    const [master, replica] = [watched.master, replicaOf(watched)];
    await replica.command('CONFIG', 'SET', 'masterauth', 'wrong');
    await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
    await untilSays(consul, idOf(replica), 'warning: the link to its master is down');
    await untilSays(consul, idOf(replica), 'critical: the link to its master has been down for too long');
    await replica.command('CONFIG', 'SET', 'masterauth', 'secret');
    await untilSays(consul, idOf(replica), 'passing: answers');
  });

  t.test('a replica that receives nothing lags, and then has no link', async () => {
    const id = idOf(replicaOf(cut));
    cut.master.pause();
    await untilSays(consul, id, 'warning: lags behind its master');
    await untilSays(consul, id, 'warning: the link to its master is down');
    await untilSays(consul, id, 'critical: the link to its master has been down for too long');
    cut.master.resume();
    await untilSays(consul, id, 'passing: answers');
    await untilSays(consul, idOf(cut.master), 'passing: answers');
  });

  t.test('a replica that gets the whole data set is a warning', async () => {
    const { master } = synced;
    await master.command('DEBUG', 'POPULATE', '2000', 'key', '1000');
    await master.command('CONFIG', 'SET', 'rdb-key-save-delay', '1500');
    // With another replication id the replica needs the whole data set.
    await master.command('DEBUG', 'CHANGE-REPL-ID');
    await master.command('CLIENT', 'KILL', 'TYPE', 'replica');
    await untilSays(consul, idOf(replicaOf(synced)), 'warning: is being synchronized with its master');
    await untilSays(consul, idOf(replicaOf(synced)), 'passing: answers');
  });

  t.test('a Redis that loads a large data set is critical', async () => {
    const { master } = loading;
    await master.command('DEBUG', 'POPULATE', '50000');
    await master.command('SAVE');
    await master.kill();
    const started = master.start();
    await untilSays(consul, idOf(master), 'critical: is loading its data set');
    await master.command('CONFIG', 'SET', 'key-load-delay', '0');
    await started;
    await untilSays(consul, idOf(master), 'passing: answers', 30_000);
  });

  t.test('a failed snapshot and a role that differs from the record change the check', async () => {
    const { name, master } = swapped;
    const replica = replicaOf(swapped);
    mkdirSync(sandbox.path('swapped-a/dump.rdb/inside'), { recursive: true });
    await master.command('BGSAVE');
    await untilSays(consul, idOf(master), 'warning: the last snapshot failed (rdb_last_bgsave_status)');
    rmSync(sandbox.path('swapped-a/dump.rdb'), { recursive: true });
    await master.command('BGSAVE');
    await untilSays(consul, idOf(master), 'passing: answers');

    const both = (status: string) =>
      Promise.all([
        untilSays(consul, idOf(replica), `${status}: answers as a master, but the record has it as a replica`),
        untilSays(consul, idOf(master), `${status}: answers as a replica, but the record has it as a master`),
      ]);
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await master.command('REPLICAOF', replica.address.host, replica.address.port);
    await both('warning');
    await both('critical');
    await putRecordOf(consul, { name, master: replica.address, replicas: [master.address], epoch: 2 });
    await untilSays(consul, idOf(replica), 'passing: answers');
    await untilSays(consul, idOf(master), 'passing: answers');
  });

  t.test('a cluster with unassigned slots is critical', async () => {
    const id = `cluster-${formatAddress(node.address)}`;
    await untilSays(consul, id, 'critical: cluster_state:fail');
    await node.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    await untilSays(consul, id, 'passing: answers');
    await node.command('CLUSTER', 'DELSLOTSRANGE', 0, 0);
    await untilSays(consul, id, 'critical: cluster_state:fail');
  });

  t.test('a Sentinel that cannot decide is a warning', async () => {
    const id = `sentinel-${formatAddress(first.address)}`;
    await untilSays(consul, id, 'passing: answers');
    for (const sentinel of others) await sentinel.kill();
    await untilSays(consul, id, 'warning: no quorum or majority for quorum (SENTINEL CKQUORUM)');
    for (const sentinel of others) await sentinel.start();
    await untilSays(consul, id, 'passing: answers');
    // Sentinel does this when its own clock stopped for more than two seconds; here it is for some seconds.
    await first.command('SENTINEL', 'DEBUG', 'tilt-period', '5000');
    first.pause();
    await untilSays(consul, id, 'critical: does not answer in time');
    const sinceMs = performance.now();
    await waitFor('it to have stood still for long enough', () => performance.now() - sinceMs > 2_500);
    first.resume();
    await untilSays(consul, id, 'warning: is in TILT mode: it decides nothing');
    await untilSays(consul, id, 'passing: answers');
    await first.command('SENTINEL', 'REMOVE', 'quorum');
    await untilSays(consul, id, 'warning: monitors no master');
  });
});

t.test('a wrong password in the config removes nothing from DNS', async (t) => {
  await registrar.stop();
  const { address } = watched.master;
  startRegistrar(t, {
    consul,
    instances: [{ kind: 'redis', name: 'watched', address, access: { password: 'wrong' } }],
  });
  await untilSays(consul, idOf(watched.master), 'warning: answers, but refuses the credentials of this check');
  t.ok((await consul.dnsA('watched.redis.service.consul')).includes(address.host));
});
