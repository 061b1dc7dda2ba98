import type { Situation } from '../../../lib/bridge/plan/decision.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { MasterRecord, StoredRecord } from '../../../lib/model/record.ts';
import type { RoleAnswer, SentinelView } from '../../../lib/model/sentinel.ts';

/** Addresses by letters: `A` is 10.0.0.1:6301, `B` 10.0.0.2:6302, ... so that each host has a port of its own. */
export function at(letter: string): Address {
  const n = letter.charCodeAt(0) - 'A'.charCodeAt(0) + 1;
  return { host: `10.0.0.${n}`, port: 6300 + n };
}

/** The nodes of the shard beside its master: A to D. */
export function others(master: string): readonly Address[] {
  return ['A', 'B', 'C', 'D'].filter((letter) => letter !== master).map(at);
}

export function record(master: string, changes: Partial<Omit<MasterRecord, 'master'>> = {}): MasterRecord {
  return {
    version: 1,
    name: 'm',
    generation: 1,
    epoch: 5,
    phase: 'confirmed',
    master: at(master),
    replicas: others(master),
    previous: null,
    reason: 'failover',
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'bridge-0',
    ...changes,
  };
}

export function held(content: MasterRecord, modifyIndex = 100): StoredRecord {
  return { kind: 'present', record: content, modifyIndex };
}

/** The view of Sentinel `s1`, `s2`, ... of three: `view(1, 'A', 5)`. */
export function view(
  n: number,
  master: string,
  configEpoch: number,
  changes: Partial<SentinelView> = {},
): SentinelView {
  return {
    sentinelId: `s${n}`,
    sentinel: { host: `10.0.1.${n}`, port: 26379 },
    master: at(master),
    configEpoch,
    condition: 'up',
    linked: true,
    quorum: 2,
    knownSentinels: 3,
    replicas: others(master).map((address) => ({ address, condition: 'up' })),
    ...changes,
  };
}

export function role(letter: string, answer: RoleAnswer['role']): RoleAnswer {
  return { address: at(letter), role: answer };
}

/** Three Sentinels, all asked, no record, nothing remembered. */
export function situation(changes: Partial<Situation> = {}): Situation {
  return {
    held: { kind: 'absent' },
    remembered: undefined,
    views: [],
    knownSentinels: 3,
    complete: true,
    role: undefined,
    lagging: undefined,
    follow: 'announcement',
    nowMs: 1_000_000,
    rebaseAfterMs: 10_000,
    ...changes,
  };
}
