import { type Address, compareAddresses, isAddress } from './address.ts';
import { parseJsonObject } from './json.ts';

/** Inclusive. A cluster has the slots 0 to 16,383. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}

export const slotCount = 16_384;

export interface ClusterShard {
  /** Sorted. Empty for a master that has no slots yet. */
  readonly slots: readonly SlotRange[];
  /** null while the shard has no master. */
  readonly master: Address | null;
  /** Sorted. */
  readonly replicas: readonly Address[];
}

/** The value of the key `cluster/C`. */
export interface ClusterRecord {
  readonly version: 1;
  readonly name: string;
  /** The highest cluster_current_epoch of the views that agree. */
  readonly epoch: number;
  readonly state: 'ok' | 'fail';
  /** Slots that no master serves. */
  readonly uncovered: readonly SlotRange[];
  /** In the order of their first slots; shards without slots come last. */
  readonly shards: readonly ClusterShard[];
  /** ISO 8601. */
  readonly changedAt: string;
  readonly changedBy: string;
}

/** One node as another node of the cluster sees it. */
export interface ClusterNode {
  readonly id: string;
  /** undefined if the answering node knows no usable address. */
  readonly address: Address | undefined;
  /** By its IP address and by its hostname, whichever of them is preferred. */
  readonly names?: readonly Address[];
  readonly role: 'master' | 'replica';
  /** `fail`: a majority of the masters finds it dead. */
  readonly health: 'online' | 'fail' | 'loading';
}

export interface ClusterViewShard {
  readonly slots: readonly SlotRange[];
  readonly nodes: readonly ClusterNode[];
}

/** A whole cluster as one of its nodes sees it. */
export interface ClusterView {
  /** The node (CLUSTER MYID) with this view, and the address at which it answered. */
  readonly nodeId: string;
  readonly askedAt: Address;
  /** cluster_current_epoch. */
  readonly epoch: number;
  readonly state: 'ok' | 'fail';
  readonly shards: readonly ClusterViewShard[];
}

/** The JSON text of a record. Equal records have equal texts. */
export function formatClusterRecord(record: ClusterRecord): string {
  const { version, name, epoch, state, uncovered, shards, changedAt, changedBy } = record;
  return JSON.stringify({ version, name, epoch, state, uncovered, shards, changedAt, changedBy });
}

/** undefined where the text is not the record of a cluster. */
export function parseClusterRecord(text: string): ClusterRecord | undefined {
  const json = parseJsonObject(text);
  if (json === undefined) return undefined;
  const { version, name, epoch, state, uncovered, shards, changedAt, changedBy } = json;
  if (version !== 1 || typeof name !== 'string' || !Number.isSafeInteger(epoch)) return undefined;
  if ((state !== 'ok' && state !== 'fail') || typeof changedAt !== 'string' || typeof changedBy !== 'string')
    return undefined;
  if (!isRanges(uncovered) || !Array.isArray(shards) || !shards.every(isShard)) return undefined;
  return { version, name, epoch: epoch as number, state, uncovered, shards, changedAt, changedBy };
}

/** How many slots the ranges have. */
export function countSlots(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** Ranges separated by commas, single slots without a dash: `0-5460,5462`. */
export function formatRanges(ranges: readonly SlotRange[]): string {
  return ranges.map(({ from, to }) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}

/** As {@link formatRanges}, for people: `0-5460, 5462`. */
export function describeSlots(ranges: readonly SlotRange[]): string {
  return ranges.length === 0 ? 'no slots' : `slots ${formatRanges(ranges).replaceAll(',', ', ')}`;
}

/** Sorts ranges, and joins adjacent ones. */
export function normalizeRanges(ranges: readonly SlotRange[]): readonly SlotRange[] {
  const joined: SlotRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || range.from > last.to + 1) joined.push(range);
    else joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return joined;
}

/** The slots that are in none of the ranges. */
export function uncoveredBy(ranges: readonly SlotRange[]): readonly SlotRange[] {
  const gaps: SlotRange[] = [];
  let next = 0;
  for (const { from, to } of normalizeRanges(ranges)) {
    if (from > next) gaps.push({ from: next, to: from - 1 });
    next = to + 1;
  }
  if (next < slotCount) gaps.push({ from: next, to: slotCount - 1 });
  return gaps;
}

/** Orders shards by their first slots, and those without slots by their masters. */
export function compareShards(a: ClusterShard, b: ClusterShard): number {
  const [first, second] = [a.slots[0]?.from ?? slotCount, b.slots[0]?.from ?? slotCount];
  if (first !== second) return first - second;
  if (a.master === null || b.master === null) return a.master === b.master ? 0 : a.master === null ? 1 : -1;
  return compareAddresses(a.master, b.master);
}

function isShard(value: unknown): value is ClusterShard {
  if (typeof value !== 'object' || value === null) return false;
  const { slots, master, replicas } = value as Record<string, unknown>;
  return (
    isRanges(slots) && (master === null || isAddress(master)) && Array.isArray(replicas) && replicas.every(isAddress)
  );
}

function isRanges(value: unknown): value is SlotRange[] {
  return (
    Array.isArray(value) &&
    value.every((range: unknown) => {
      const { from, to } = (range ?? {}) as Record<string, unknown>;
      return isSlot(from) && isSlot(to) && (from as number) <= (to as number);
    })
  );
}

function isSlot(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < slotCount;
}
