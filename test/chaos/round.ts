import { formatAddress } from '../../lib/model/address.ts';
import type { DrawnFault, Fault } from './faults/fault.ts';
import { faults } from './faults.ts';
import { MasterObservers } from './observers.ts';
import { PlaceObservers } from './places.ts';
import type { Random } from './random.ts';
import { judgeDns, judgeKeys, judgeLosses, judgePlaces, judgeRecords, type Loss } from './rules.ts';
import { settle } from './settling.ts';
import { handName, type Stage } from './stage.ts';
import { formatTimeline, type Moment, momentsOf, momentsOfPlaces } from './timeline.ts';
import { countLosses, startWriters, untilWriting } from './writers.ts';

export interface RoundResult {
  readonly faults: readonly string[];
  /** Broken rules. */
  readonly violations: readonly string[];
  /** `broken`: not everything points at the masters afterwards, so the next round would begin broken. */
  readonly end: 'whole' | 'broken';
  /** By shard. */
  readonly losses: Readonly<Record<string, readonly Loss[]>>;
  /** Every fault and everything that the observers saw, in order of time. */
  readonly timeline: readonly string[];
  readonly tookMs: number;
}

/** Between an edit by hand and its repair: bridges pause at random, and a dead Consul takes time. */
const repairMs = 15_000;
/** What two clients of a dying master may differ by. */
const allowances = { none: 0, unreplicated: 30 } as const;

/** Carries out one to three faults, in part at once. Then repairs everything, and judges. */
export async function runRound(stage: Stage, drawn: readonly Drawn[], round: number): Promise<RoundResult> {
  const startedMs = Date.now();
  const places = new PlaceObservers(stage);
  const observers = stage.shards.map((shard) => new MasterObservers(stage, shard));
  const writers = startWriters(stage, observers, `round-${round}`);
  const silent = await untilWriting(writers);
  const moments: Moment[] = [];
  const endedMs = await Promise.all(drawn.map((fault) => carryOut(fault, moments)));
  const bridgesBackMs = Math.max(0, ...endedMs.filter((_, i) => stopsBridges(stage, drawn[i] as Drawn)));
  // Every fault starts again what it ended.
  const ended = findEnded(stage);
  const unsettled = await settle(stage);
  const losses = unsettled.length === 0 ? await countLosses(stage, writers) : {};
  for (const writer of [...writers.values()].flat()) await writer.stop();
  await Promise.all([places, ...observers].map((observer) => observer.close()));
  const untilMs = Date.now();
  const violations = [
    ...silent,
    ...unsettled,
    ...ended,
    ...findEnded(stage),
    ...observers.flatMap((observer) =>
      judgeObserved(observer, { untilMs, memory: memoryOf(stage, drawn), bridgesBackMs, isWiped: isWiped(drawn) }),
    ),
    ...(drawn.some(({ fault }) => fault.edits === 'place') ? [] : judgePlaces(places.seen, membersOf(stage))),
    ...Object.values(losses).flatMap((lost) => judgeLosses(lost, allowanceOf(stage, drawn))),
  ];
  return {
    faults: drawn.map(
      ({ fault, plan, afterMs }) => `${fault.name} ${plan.target}${afterMs > 0 ? ` (${afterMs})` : ''}`,
    ),
    violations: [...new Set(violations)],
    end: silent.length + unsettled.length === 0 ? 'whole' : 'broken',
    losses,
    timeline: formatTimeline(startedMs, [...moments, ...momentsOfPlaces(places.seen), ...observers.flatMap(momentsOf)]),
    tookMs: untilMs - startedMs,
  };
}

export interface Drawn {
  readonly fault: Fault;
  readonly plan: DrawnFault;
  /** Since the round's first fault. */
  readonly afterMs: number;
}

/** The faults of the next round, from the random numbers alone. */
export function drawFaults(stage: Stage, random: Random): readonly Drawn[] {
  const count = random.between(1, 3);
  return Array.from({ length: count }, (_, i) => {
    const fault = random.pick(faults);
    const isAtOnce = i === 0 || random.between(1, 4) === 1;
    return { fault, plan: fault.draw(stage, random), afterMs: isAtOnce ? 0 : random.between(1, 3_000) };
  });
}

/** Returns when the fault was over, in milliseconds since 1970. */
async function carryOut({ fault, plan, afterMs }: Drawn, moments: Moment[]): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  moments.push({ atMs: Date.now(), text: `fault: ${fault.name} ${plan.target}` });
  try {
    await plan.run();
    moments.push({ atMs: Date.now(), text: `over: ${fault.name}` });
  } catch (error) {
    moments.push({ atMs: Date.now(), text: `could not be carried out: ${fault.name}: ${String(error)}` });
  }
  return Date.now();
}

/** Whether the fault alone stops every bridge. */
function stopsBridges({ bridges }: Stage, { plan }: Drawn): boolean {
  return bridges.every((bridge) => plan.stops?.includes(bridge) ?? false);
}

/** While both bridges do nothing, nobody leads clients away from a former master, so losses mean nothing. */
function allowanceOf(stage: Stage, drawn: readonly Drawn[]): number {
  const stopped = drawn.flatMap(({ plan }) => plan.stops ?? []);
  const isUnreplicated = drawn.some(({ fault }) => fault.hazard === 'unreplicated');
  if (isUnreplicated && stage.bridges.every((bridge) => stopped.includes(bridge))) return Number.POSITIVE_INFINITY;
  return allowances[isUnreplicated ? 'unreplicated' : 'none'];
}

/** A frozen bridge keeps its memory. */
function memoryOf(stage: Stage, drawn: readonly Drawn[]): 'kept' | 'forgotten' {
  const killed = drawn.filter(({ fault }) => !fault.name.startsWith('freeze')).flatMap(({ plan }) => plan.stops ?? []);
  return isWiped(drawn) && stage.bridges.every((bridge) => killed.includes(bridge)) ? 'forgotten' : 'kept';
}

function isWiped(drawn: readonly Drawn[]): boolean {
  return drawn.some(({ fault }) => fault.name === 'wipe-consul');
}

/** A daemon that ended by itself: faults start what they end. */
function findEnded(stage: Stage): readonly string[] {
  return [...stage.bridges, stage.renderer]
    .filter((daemon) => !daemon.running)
    .map((daemon) => `${daemon.name} ended by itself: ${JSON.stringify(daemon.exit)}`);
}

function membersOf({ shards }: Stage): ReadonlyMap<string, readonly string[]> {
  return new Map(shards.map(({ name, servers }) => [name, servers.map(({ address }) => formatAddress(address))]));
}

function judgeObserved(
  { shard, records, keys, dns }: MasterObservers,
  at: {
    readonly untilMs: number;
    readonly bridgesBackMs: number;
    readonly memory: 'kept' | 'forgotten';
    readonly isWiped: boolean;
  },
): readonly string[] {
  const members = shard.servers.map(({ address }) => formatAddress(address));
  const hosts = shard.servers.map(({ address }) => address.host);
  // A Consul that starts shows past states until it has read its log. Bridges write at a lower index only after a loss of
  // data.
  const isNew = (index: number, i: number) =>
    at.isWiped || records.slice(0, i).every((before) => before.index <= index);
  const written = records.filter(({ record, index }, i) => record.changedBy !== handName && isNew(index, i));
  return [
    ...judgeRecords(written, { members, memory: at.memory }),
    ...judgeKeys(keys, { differMs: repairMs, ...at }),
    ...judgeDns(dns, hosts),
  ];
}
