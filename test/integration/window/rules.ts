import { pauseMs } from '../../../lib/bridge/fencing/plan.ts';
import { type Address, formatAddress, sameAddress } from '../../../lib/model/address.ts';
import { compareVersions } from '../../../lib/model/epoch.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import type { NumberWriter } from '../support/writing.ts';
import type { BridgeWord } from './bridge.ts';
import type { WindowCase } from './cases.ts';
import type { Majority, NodeProbe, RecordObserver } from './observers.ts';
import { delayedMs, type Stall } from './stalls.ts';
import type { Moment } from './story.ts';
import type { Field } from './strike.ts';

/* What must hold of every history. All functions are pure, given what was observed. */

export interface Written {
  readonly record: MasterRecord;
  /** Consul's ModifyIndex: the order. */
  readonly index: number;
  /** The earliest time at which it can have been written, in milliseconds since 1970. */
  readonly atMs: number;
}

/** Every record that Consul held, by the bridges' reports and by what was read there, in Consul's order. */
export function recordsOf(words: readonly BridgeWord[], observer: RecordObserver): readonly Written[] {
  const byIndex = new Map<number, Written>();
  for (const { record, index, earliestMs } of observer.seen) byIndex.set(index, { record, index, atMs: earliestMs });
  for (const word of words) {
    if (word.kind !== 'ran' || word.written === undefined) continue;
    byIndex.set(word.written.index, { ...word.written, atMs: word.atMs });
  }
  return [...byIndex.values()].toSorted((a, b) => a.index - b.index);
}

/** No address that no leader selected; nothing older after something newer; one master a version; few changes. */
export function judgeRecords(
  written: readonly Written[],
  known: { readonly first: Address; readonly selected: readonly (Address | undefined)[] },
): readonly string[] {
  const problems: string[] = [];
  const allowed = [known.first, ...known.selected.filter((address) => address !== undefined)];
  let moves = 0;
  for (const [i, { record }] of written.entries()) {
    const before = written[i - 1]?.record;
    const what = `${record.generation}/${record.epoch} ${formatAddress(record.master)}`;
    if (!allowed.some((address) => sameAddress(address, record.master)))
      problems.push(`${what}: no leader selected it`);
    if (before === undefined) continue;
    const isMoved = !sameAddress(record.master, before.master);
    if (isMoved) moves += 1;
    const order = compareVersions(record, before);
    if (order < 0) problems.push(`${what} became older than ${before.generation}/${before.epoch}`);
    if (order === 0 && isMoved) problems.push(`${what} has a twin`);
    if (order === 0 && before.phase === 'confirmed' && record.phase === 'promoted')
      problems.push(`${what} lost its confirmation`);
  }
  if (moves > 3 * known.selected.length) problems.push(`${moves} moves for ${known.selected.length} selections`);
  return problems;
}

export interface Demotion {
  readonly atMs: number;
  /** The node that was demoted, `host:port`. */
  readonly node: string;
  readonly master: string;
  /** IP of the client that demoted it. */
  readonly by: string;
}

// 123:M 22 Nov 2026 21:00:00.123 * REPLICAOF 127.1.2.3:7001 enabled (user request from 'id=9 addr=127.1.2.4:40000 ...')
const demotionLine =
  /^\d+:\w (\d+ \w+ \d+ [\d:.]+) \S+ REPLICAOF (\S+) enabled \(user request from '.*?\baddr=([\d.]+):/;

/** Every REPLICAOF that the nodes carried out, by their own logs, from any sender. */
export function demotionsOf(servers: readonly RedisServer[]): readonly Demotion[] {
  return servers.flatMap((server) =>
    server
      .log()
      .split('\n')
      .flatMap((line) => {
        const [, at, master, by] = demotionLine.exec(line) ?? [];
        if (at === undefined || master === undefined || by === undefined) return [];
        return [{ atMs: Date.parse(at), node: formatAddress(server.address), master, by }];
      }),
  );
}

/**
 * A bridge's REPLICAOF follows a confirmed record, the newest at that time, which names the new master and not the node;
 * and the Sentinels' majority does not name the node at that moment either. `bridges`: their IPs.
 */
export function judgeDemotions(
  demotions: readonly Demotion[],
  seen: { readonly bridges: readonly string[]; readonly written: readonly Written[]; readonly majority: Majority },
): readonly string[] {
  return demotions
    .filter(({ by }) => seen.bridges.includes(by))
    .flatMap(({ atMs, node, master }) => {
      const what = `REPLICAOF ${master} at ${node}`;
      const before = seen.written.filter((written) => written.atMs <= atMs);
      const isConfirmed = before.some(
        ({ record }) => record.phase === 'confirmed' && formatAddress(record.master) === master,
      );
      const problems: string[] = [];
      if (!isConfirmed) problems.push(`${what} before a confirmation of ${master}`);
      if (node === master) problems.push(`${what}: its own master`);
      if (seen.majority.throughout(atMs, atMs) === node)
        problems.push(`${what}, which the Sentinels' majority names master`);
      return problems;
    });
}

/** A master that somebody can hear is never paused for isolation: only a cut isolates it. */
export function judgeIsolation(
  words: readonly BridgeWord[],
  { begin, fault }: Pick<WindowCase, 'begin' | 'fault'>,
): readonly string[] {
  if (begin === 'isolated' || fault.kind === 'cut') return [];
  return words.flatMap((word) =>
    word.kind === 'ran' && word.isolated === true ? [`${word.id}: ${word.summary}, without any cut`] : [],
  );
}

/** How long a client of Sentinel may take to follow: bridges need not be faster than that. */
const followMs = 500;

export interface Losses {
  readonly acknowledged: number;
  /**
   * The writes that the last master lacks. Any client would have lost most of them, because replication is asynchronous.
   */
  readonly lost: number;
  /** Those of them that a client of Sentinel would have kept. */
  readonly keptBySentinel: readonly LostWrite[];
}

export interface LostWrite {
  /** The bridge whose node the client is on. */
  readonly by: string;
  readonly atMs: number;
  /** The node that acknowledged it, and the master that the Sentinels' majority named then. */
  readonly at: string;
  readonly named: string;
}

/** While a bridge may have paused the writes of a node. */
export interface Pause {
  readonly at: string;
  readonly atMs: number;
  readonly untilMs: number;
}

/** Every pause that the bridges reported, at its longest. */
export function pausesOf(words: readonly BridgeWord[]): readonly Pause[] {
  return words.flatMap((word) => {
    if (word.kind !== 'ran' || word.paused === undefined) return [];
    return [{ at: word.paused, atMs: word.atMs - followMs, untilMs: word.atMs + pauseMs + followMs }];
  });
}

/**
 * The acknowledged writes that were lost, though plain Sentinel would have kept them. A client that follows Sentinel
 * writes to the node that the majority of the Sentinels names. So a lost write, acknowledged by node n at time t, would
 * have been kept where
 * - the majority named another node m, from `followMs` before t until t (a client of Sentinel has to hear of it as well, and a
 *   machine that does not let a process run delays every client),
 * - m took writes at t, and what it held then is part of what the last master holds: of the numbers that are written to
 *   each node throughout the round, those that m acknowledged directly before and directly after t are there, and m
 *   refused nothing in between (a pause of its writes only delays an answer).
 * Or where a bridge's own pause kept m from answering at t, what m held before is there, and the majority continued with
 * another node than n: without the pause m had taken the write, and whoever followed m would have had it.
 * Where m is n, a client of Sentinel has lost the same write. The other way round, what a bridge discards by REPLICAOF on
 * the node that the majority names, is `judgeDemotions`' business.
 */
export function countLosses(
  writer: NumberWriter,
  seen: {
    /** What the last master has of this writer, and of each probe. */
    readonly kept: ReadonlySet<number>;
    readonly probes: ReadonlyMap<string, { readonly probe: NodeProbe; readonly kept: ReadonlySet<number> }>;
    readonly majority: Majority;
    readonly pauses: readonly Pause[];
    /** When the bridge of the writer's node, or the writer, did not run. */
    readonly stalls: readonly Stall[];
  },
): Losses {
  const lost = [...writer.acknowledged].filter(([number]) => !seen.kept.has(number));
  const keptBySentinel = lost.flatMap(([number, atMs]) => {
    const place = writer.places.get(number);
    if (place === undefined) return [];
    const { at, askedMs } = place;
    const named = seen.majority.throughout(askedMs - followMs - delayedMs(seen.stalls, askedMs), atMs);
    if (named === undefined || named === at) return [];
    const there = seen.probes.get(named);
    if (there === undefined) return [];
    const isKept = there.probe.keptAt(askedMs, atMs, there.kept);
    const isPausedByUs = seen.pauses.some((pause) => pause.at === named && pause.atMs < atMs && atMs < pause.untilMs);
    const isDiverted = isPausedByUs && seen.majority.nextAfter(atMs) !== at;
    const wouldKeep = isKept || (isDiverted && there.probe.keptWhileSilentAt(atMs, there.kept));
    return wouldKeep ? [{ by: writer.name, atMs, at, named }] : [];
  });
  return { acknowledged: writer.acknowledged.size, lost: lost.length, keptBySentinel };
}

/** How long a bridge that was stopped may take to read what happened meanwhile. */
const catchUpMs = 2_000;

/**
 * Why a write may have been lost though Sentinel would have kept it. `unattended`: the bridge of the client's node was
 * stopped at that time, so nothing there could follow the failover, and the old master was not to be reached by others. `given up`: the node had been promoted, and that failover was
 * never confirmed, because it failed while the old master lived: see docs/promotion.md, "What it costs".
 */
export type LossCause = 'unattended' | 'given up' | 'none';

export function causeOf(
  { by, at, atMs }: LostWrite,
  seen: { readonly notes: readonly Moment[]; readonly written: readonly Written[]; readonly field: Field },
): LossCause {
  const { notes, written, field } = seen;
  const { window, bridges } = field;
  const struck = bridges.slice(0, window.bridges).some(({ id }) => id === by);
  if (window.fault.who === 'bridge' && window.fault.kind !== 'cut' && struck) {
    const [begin, end] = notes.filter(({ who }) => who === 'fault');
    if (begin !== undefined && atMs >= begin.atMs && atMs <= (end?.atMs ?? Infinity) + catchUpMs) return 'unattended';
  }
  const isGivenUp = written.some(({ record }, i) => {
    if (record.phase !== 'promoted' || formatAddress(record.master) !== at) return false;
    const later = written.slice(i + 1).map((entry) => entry.record);
    const isConfirmed = later.some((each) => each.phase === 'confirmed' && compareVersions(each, record) === 0);
    return !isConfirmed && later[0] !== undefined && formatAddress(later[0].master) !== at;
  });
  return isGivenUp ? 'given up' : 'none';
}
