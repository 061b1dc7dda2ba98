import { type Address, formatAddress, sameAddress } from '../../lib/model/address.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { ConsulAgent } from '../sandbox/consul.ts';
import type { SentinelEvent, SentinelRecorder } from '../sandbox/recorder.ts';
import type { RedisServer, Shard } from '../sandbox/redis.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { SentinelServer } from '../sandbox/sentinel.ts';
import { failOver, only, type RunningBridge, readRecord, recordOf, startBridge } from './bridging.ts';
import { LedgerWriter, persistentClient } from './writing.ts';

/*
 * A fault in the window of a failover: the moment at which the leading Sentinel says that it has come so far. Each round
 * has a shard, three Sentinels and two bridges of its own; afterwards everything is brought back and comes to rest, and
 * its history is checked.
 */

/** What the leader says when it has come so far (sentinel.c). */
export const moments = [
  '+try-failover',
  '+elected-leader',
  '+selected-slave',
  '+failover-state-wait-promotion',
  '+promoted-slave',
] as const;

export const faults = [
  'the leader is killed',
  'the leader is paused',
  'the selected replica is killed',
  'the old master returns',
  'a bridge is killed',
  'Consul is paused',
] as const;

export interface WindowCase {
  readonly moment: (typeof moments)[number];
  readonly fault: (typeof faults)[number];
  /** How the failover begins. An order leaves the old master alive. */
  readonly begin: 'kill' | 'order';
  readonly replicas: 1 | 2;
  /** Editions of the servers, such as `valkey`. Default `redis`. */
  readonly edition?: string;
}

export interface WindowResult {
  /** `generation/epoch address phase` of each record, in order. */
  readonly history: readonly string[];
  readonly problems: readonly string[];
  readonly lost: number;
  readonly acknowledged: number;
}

export function describeCase({ moment, fault, begin, replicas, edition = 'redis' }: WindowCase): string {
  const how = begin === 'kill' ? 'the master is killed' : 'a failover is ordered';
  return `${how}, and at ${moment} ${fault} (${replicas} replica${replicas === 1 ? '' : 's'}, ${edition})`;
}

/** Every combination that makes sense. */
export function allCases(): readonly WindowCase[] {
  const cases: WindowCase[] = [];
  for (const replicas of [1, 2] as const)
    for (const begin of ['kill', 'order'] as const)
      for (const fault of faults)
        for (const moment of moments) {
          const isSelected = moments.indexOf(moment) >= 2;
          if (fault === 'the selected replica is killed' && !isSelected) continue;
          if (fault === 'the old master returns' && begin === 'order') continue;
          cases.push({ moment, fault, begin, replicas });
        }
  return cases;
}

interface Round {
  readonly shard: Shard;
  readonly sentinels: readonly SentinelServer[];
  readonly bridges: RunningBridge[];
  /** Of every Sentinel, and of each that was started again. */
  readonly recorders: SentinelRecorder[];
  readonly consul: ConsulAgent;
}

/** One round. `name` is unique in the sandbox; Consul is one of its own where it is paused. */
export async function runWindow(
  sandbox: Sandbox,
  { name, window, consul }: { readonly name: string; readonly window: WindowCase; readonly consul: ConsulAgent },
): Promise<WindowResult> {
  const { edition } = window;
  const program = (kind: string) => (edition === undefined ? {} : { program: `${edition}-${kind}` });
  const shard = await sandbox.redis({ name, replicas: window.replicas, ...program('server') });
  const sentinels = await sandbox.sentinels({
    name: `${name}-sentinel`,
    masters: [shard],
    failoverTimeoutMs: 3_000,
    ...program('sentinel'),
  });
  await lookOften(sentinels);
  const bridges = [1, 2].map((n) =>
    startBridge({ teardown: () => undefined }, { consul, sentinels, id: `bridge-${n}`, resyncMs: 500 }),
  );
  const recorders = await Promise.all(sentinels.map((sentinel) => sentinel.record()));
  const round: Round = { shard, sentinels, bridges, recorders, consul };
  const writer = new LedgerWriter({ name, key: 'w', client: persistentClient(() => masterByRecord(consul, name)) });
  try {
    await recordOf(consul, name);
    await waitFor('writes', () => writer.acknowledged.size, { until: (size) => size > 20 });
    const struck = strikeAt(round, window);
    if (window.begin === 'kill') await shard.master.kill();
    else await failOver(only(sentinels), name);
    await struck;
    const master = await settle(round);
    await writer.stop();
    const { lost, of } = await writer.lostAt(master);
    return { ...judge(round), lost: lost.length, acknowledged: of };
  } finally {
    await writer.stop();
    for (const recorder of recorders) recorder.close();
    await Promise.all(bridges.map((bridge) => bridge.stop({ graceMs: 0 })));
    await Promise.all([...sentinels, ...shard.servers].map((server) => server.kill()));
  }
}

async function masterByRecord(consul: ConsulAgent, name: string): Promise<Address> {
  const record = await readRecord(consul, name);
  if (record === undefined) throw new Error('there is no record');
  return record.master;
}

/** Carries out the fault at the first sight of the moment, in the very callback that brings it. */
function strikeAt(round: Round, window: WindowCase): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${window.moment} did not come`)), 20_000);
    for (const [i, recorder] of round.recorders.entries()) {
      recorder.onEvent = (event) => {
        if (event.channel !== window.moment) return;
        clearTimeout(timer);
        for (const other of round.recorders) other.onEvent = undefined;
        strike(round, { window, leader: round.sentinels[i], event }).then(resolve, reject);
      };
    }
  });
}

async function strike(
  round: Round,
  at: { readonly window: WindowCase; readonly leader: SentinelServer | undefined; readonly event: SentinelEvent },
): Promise<void> {
  const { shard, bridges, consul } = round;
  const { window, leader, event } = at;
  switch (window.fault) {
    case 'the leader is killed':
      return leader?.kill();
    case 'the leader is paused':
      leader?.pause();
      return later(3_000, () => leader?.resume());
    case 'the selected replica is killed':
      return selectedBy(shard, event)?.kill();
    case 'the old master returns':
      return shard.master.start();
    case 'a bridge is killed':
      return bridges[0]?.stop({ graceMs: 0 });
    case 'Consul is paused':
      consul.pause();
      return later(3_000, () => consul.resume());
  }
}

async function later(delayMs: number, action: () => void): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  action();
}

function selectedBy(shard: Shard, { payload }: SentinelEvent): RedisServer | undefined {
  const [, , host = '', port] = payload.split(' ');
  return shard.servers.find(({ address }) => sameAddress(address, { host, port: Number(port) }));
}

/** Everything runs again, and nothing more is done: the Sentinels, the nodes and the record agree. Answers the master. */
async function settle(round: Round): Promise<Address> {
  const { shard, sentinels, consul } = round;
  for (const sentinel of sentinels.filter(({ running }) => !running)) {
    await sentinel.start();
    round.recorders.push(await sentinel.record());
  }
  for (const server of shard.servers) if (!server.running) await server.start();
  await lookOften(sentinels);
  const look = async () => {
    const infos = await Promise.all(sentinels.map((sentinel) => sentinel.masterInfo(shard.name)));
    const record = await readRecord(consul, shard.name);
    const roles = await Promise.all(
      shard.servers.map(async (server) => `${server.address.host} ${await server.role()}`),
    );
    const views = infos.map((info) => `${info.ip}:${info.port}@${info['config-epoch']} ${info.flags}`);
    return { views, roles, record };
  };
  const isCalm = ({ views, roles, record }: Awaited<ReturnType<typeof look>>) =>
    record?.phase === 'confirmed' &&
    views.every((view) => view === `${formatAddress(record.master)}@${record.epoch} master`) &&
    roles.every((role) => role.endsWith(role.startsWith(`${record.master.host} `) ? ' master' : ' replica'));
  const { record } = await waitFor(`${shard.name} to come to rest`, look, {
    until: isCalm,
    timeoutMs: 75_000,
    intervalMs: 100,
  });
  if (record === undefined) throw new Error('there is no record');
  return record.master;
}

/** What must hold of every history, whatever happened. */
function judge({ shard, bridges, recorders }: Round): Pick<WindowResult, 'history' | 'problems'> {
  const written = bridges
    .flatMap(({ reports }) => reports)
    .flatMap(({ outcome }) => ('details' in outcome && outcome.details?.record !== undefined ? [outcome.details] : []))
    .map((details) => ({ record: details.record as MasterRecord, index: details.modifyIndex as number }))
    .toSorted((a, b) => a.index - b.index)
    .map(({ record }) => record);
  const events = recorders.flatMap((recorder) => recorder.events);
  const selected = events
    .filter(({ channel }) => channel === '+selected-slave')
    .map((event) => selectedBy(shard, event)?.address);
  const problems = [
    ...judgeRecords(written, { first: shard.master.address, selected }),
    ...judgeFences(bridges, written),
  ];
  const history = written.map(
    ({ generation, epoch, master, phase }) => `${generation}/${epoch} ${formatAddress(master)} ${phase}`,
  );
  return { history, problems };
}

function judgeRecords(
  written: readonly MasterRecord[],
  known: { readonly first: Address; readonly selected: readonly (Address | undefined)[] },
): readonly string[] {
  const problems: string[] = [];
  const allowed = [known.first, ...known.selected.filter((address) => address !== undefined)];
  for (const [i, record] of written.entries()) {
    const before = written[i - 1];
    const what = `${record.generation}/${record.epoch} ${formatAddress(record.master)}`;
    if (!allowed.some((address) => sameAddress(address, record.master)))
      problems.push(`${what}: no leader selected it`);
    if (before === undefined) continue;
    if (compareVersions(record, before) < 0)
      problems.push(`${what} became older than ${before.generation}/${before.epoch}`);
    if (compareVersions(record, before) === 0 && !sameAddress(record.master, before.master))
      problems.push(`${what} has a twin`);
  }
  const moves = written.filter(
    (record, i) => i > 0 && !sameAddress(record.master, written[i - 1]?.master ?? record.master),
  ).length;
  const selections = known.selected.length;
  if (moves > 3 * selections) problems.push(`${moves} moves for ${selections} selections`);
  return problems;
}

/** REPLICAOF only ever follows a confirmation that names somebody else. */
function judgeFences(bridges: readonly RunningBridge[], written: readonly MasterRecord[]): readonly string[] {
  const demotions = bridges.flatMap(({ fences }) => fences).filter(({ action }) => action === 'demote');
  return demotions.flatMap(({ address, atMs }) => {
    const before = written.filter(({ phase, changedAt }) => phase === 'confirmed' && Date.parse(changedAt) <= atMs);
    const allowed = before.some(({ master }) => formatAddress(master) !== address);
    return allowed ? [] : [`${address} was demoted before a confirmation`];
  });
}

/** As soon as the round is over Sentinel needs not take its ten seconds; its INFO during a failover is each second anyway. */
async function lookOften(sentinels: readonly SentinelServer[]): Promise<void> {
  const settings = ['info-period', 300, 'publish-period', 300] as const;
  await Promise.all(sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', ...settings)));
}
