import { setTimeout as delay } from 'node:timers/promises';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { Daemon, DaemonOptions } from '../../test/sandbox/daemon.ts';
import type { Shard } from '../../test/sandbox/redis.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../../test/sandbox/sentinel.ts';
import { failOver } from '../failover.ts';
import { prepareSide, startSwitchmaster, timeChange, untilSettled } from '../render-sides.ts';

/** What every scene starts its daemon with. */
type Profiled = Pick<DaemonOptions, 'nodeArguments' | 'program'>;

export interface SceneSize {
  readonly seconds: number;
  readonly masters: number;
  readonly services: number;
}

/** Starts servers and a daemon that has nothing left to do. Resolves with what the daemon is profiled during. */
type Scene = (sandbox: Sandbox, size: SceneSize, daemon: Profiled) => Promise<() => Promise<void>>;

export const scenes = { failover, render, idle, storm } as const satisfies Record<string, Scene>;

export type SceneName = keyof typeof scenes;

/** One planned failover after another, each of the next master. */
async function failover(sandbox: Sandbox, size: SceneSize, profiled: Profiled): Promise<() => Promise<void>> {
  const { shards, sentinels } = await startMasters(sandbox, size, profiled);
  const [leader] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel was started');
  return () => repeat(size, (n) => failOver(leader, shards[n % shards.length]));
}

/** One change of a service after another, each rendered and reloaded. */
async function render(sandbox: Sandbox, size: SceneSize, profiled: Profiled): Promise<() => Promise<void>> {
  const place = { name: 'switchmaster', size: size.services };
  const side = await prepareSide(sandbox, place);
  await startSwitchmaster(sandbox, side, { ...place, ...profiled });
  await untilSettled(side, place);
  return () =>
    repeat(size, async (n) => {
      await timeChange(side, { service: n % size.services, port: 2 + n });
    });
}

/** Nothing happens. */
async function idle(sandbox: Sandbox, size: SceneSize, profiled: Profiled): Promise<() => Promise<void>> {
  await startMasters(sandbox, size, profiled);
  return () => delay(size.seconds * 1_000);
}

/** A third of the masters is killed at once. It ends when each has a new master, and after the given time at the earliest. */
async function storm(sandbox: Sandbox, size: SceneSize, profiled: Profiled): Promise<() => Promise<void>> {
  const { shards, daemon } = await startMasters(sandbox, size, profiled);
  const killed = shards.slice(0, Math.ceil(shards.length / 3));
  return async () => {
    await Promise.all([
      delay(size.seconds * 1_000),
      ...killed.map(async (shard) => {
        const former = formatAddress(shard.master.address);
        await shard.master.kill();
        await waitFor(`a new master of ${shard.name}`, () => readMaster(daemon, shard), {
          until: (master) => master !== former,
        });
      }),
    ]);
  };
}

async function readMaster(daemon: Daemon, { name }: Shard): Promise<string> {
  const { body } = await daemon.get(`/v1/masters/${name}`);
  return formatAddress((body as { record: { master: Shard['master']['address'] } }).record.master);
}

async function startMasters(
  sandbox: Sandbox,
  { masters }: SceneSize,
  profiled: Profiled,
): Promise<{
  readonly shards: readonly Shard[];
  readonly sentinels: readonly SentinelServer[];
  readonly daemon: Daemon;
}> {
  const names = Array.from({ length: masters }, (_, n) => `shard${n}`);
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map((name) => sandbox.redis({ name }))]);
  const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 5_000 });
  const addresses = sentinels.map(({ address }) => formatAddress(address));
  const config = { consul: { address: consul.url }, sentinel: { addresses } };
  const daemon = await sandbox.switchmaster({ ...profiled, config });
  return { shards, sentinels, daemon };
}

/** Repeats an action until the time is over, at least once. */
async function repeat({ seconds }: SceneSize, action: (n: number) => Promise<void>): Promise<void> {
  const endMs = performance.now() + seconds * 1_000;
  for (let n = 0; n === 0 || performance.now() < endMs; n += 1) await action(n);
}
