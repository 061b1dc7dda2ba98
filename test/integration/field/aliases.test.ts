import t from 'tap';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { formatRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { SentinelServer } from '../../sandbox/sentinel.ts';
import { failOver, only, type RunningBridge, readRecord, recordOf, startBridge } from '../support/bridging.ts';

/* One process with several names: Sentinels that announce hostnames, addresses, or some of them one and some the other. */

t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-aliases' });
const consul = await sandbox.consul();

/** A name to Redis, Sentinel and Node, because they do not write addresses so. Every machine's resolver knows it. */
function nameOf({ host, port }: Address): Address {
  const [first, second, ...rest] = host.split('.');
  return { host: [first, `0x${Number(second).toString(16)}`, ...rest].join('.'), port };
}

t.test('Sentinels that spell a master differently agree on it, and on the next one', async (t) => {
  const name = 'mixed';
  const [shard, sentinels] = await Promise.all([
    sandbox.redis({ name, replicas: 1 }),
    sandbox.sentinels({ name: 'mixed-sentinel', count: 4, masters: [] }),
  ]);
  const named = sentinels.slice(0, 2);
  for (const sentinel of named) {
    await sentinel.command('SENTINEL', 'CONFIG', 'SET', 'resolve-hostnames', 'yes');
    await sentinel.command('SENTINEL', 'CONFIG', 'SET', 'announce-hostnames', 'yes');
  }
  for (const sentinel of sentinels) {
    const { host, port } = named.includes(sentinel) ? nameOf(shard.master.address) : shard.master.address;
    await sentinel.command('SENTINEL', 'DEBUG', 'publish-period', 200, 'info-period', 500);
    await sentinel.command('SENTINEL', 'MONITOR', name, host, port, 3);
    await sentinel.command('SENTINEL', 'SET', name, 'down-after-milliseconds', 1_000, 'failover-timeout', 10_000);
  }
  const bridge = startBridge(t, { consul, sentinels, rebaseAfterMs: 2_000 });
  const first = await recordOf(consul, name, {
    until: ({ phase, replicas }) => phase === 'confirmed' && replicas.length === 1,
  });
  t.ok([shard.master.address, nameOf(shard.master.address)].some((one) => sameAddress(one, first.master)));
  await waitFor('the Sentinels to know each other', () => Promise.all(sentinels.map((one) => one.masterInfo(name))), {
    until: (infos) => infos.every((info) => info['num-other-sentinels'] === '3' && info['num-slaves'] === '1'),
  });
  await failOver(named[0] as SentinelServer, name);
  const next = await recordOf(consul, name, {
    until: ({ epoch, phase }) => epoch > first.epoch && phase === 'confirmed',
  });
  t.equal(formatAddress(next.master), formatAddress(only(shard.replicas).address));
  t.equal(next.generation, 1);
  await recordOf(consul, name, { until: ({ replicas }) => replicas.length === 1 });
  t.strictSame(disputes(bridge), []);
  await waitFor('the old master to follow', () => shard.master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 60_000,
  });

  await bridge.stop();
  const renamed = { ...next, master: nameOf(next.master) };
  await consul.putKey(`redis/record/${name}`, formatRecord(renamed));
  const later = startBridge(t, { consul, sentinels, rebaseAfterMs: 500 });
  await waitFor('the bridge to accept the record', async () => later.part.masters.get(name), {
    until: (master) => master?.sentinels.filter((vote) => vote.master?.host === renamed.master.host).length === 4,
  });
  t.match(await readRecord(consul, name), { master: renamed.master, generation: 1 });
  t.strictSame(disputes(later), []);
  t.strictSame(later.fences, []);
});

function disputes({ reports }: RunningBridge): readonly string[] {
  return reports.flatMap(({ outcome }) =>
    'summary' in outcome && /different masters|contradict|conflict/.test(outcome.summary) ? [outcome.summary] : [],
  );
}
