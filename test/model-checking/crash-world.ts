import type { CrashSituation } from '../../lib/bridge/plan/crash.ts';
import { at, record, view } from '../bridge/plan/world.ts';

/* Several bridges that judge the crash of master A, as lib/crash/case.ts, lease.ts and evidence.ts do it, with what they share. */

export interface JudgingState {
  /** Its last connect to A. `refused`: long enough for the proof. */
  readonly connect: 'connected' | 'refused';
  /** The failure that only this bridge has: A's host refuses its connects, as a firewall does, although A lives. */
  readonly isRejected: boolean;
  /** Whether its key in Consul says that it sees the crash. */
  readonly isPublished: boolean;
  /** The Sentinels and the replica, as it read them since the connects are refused. */
  readonly others: 'unread' | 'linked' | 'unlinked' | 'failing-over' | 'replaced';
  /** The index of the last order, read under the lease, and whether that order counts. */
  readonly lease?: { readonly index: number; readonly isRecent: boolean };
  /** The index of its note that it orders the failover, and of what that replaced. */
  readonly claim?: { readonly index: number; readonly wasRecent: boolean };
  readonly knowsMaintenance: boolean;
  readonly lacksRight: boolean;
  /** It does not act on this crash again. */
  readonly isDone: boolean;
}

export interface CrashWorld {
  readonly master: 'up' | 'gone';
  /** Nobody but some bridges reaches A. */
  readonly isCut: boolean;
  readonly failover: 'none' | 'running' | 'done';
  readonly bridges: readonly JudgingState[];
  readonly consul: {
    readonly holder: number | undefined;
    readonly order: { readonly index: number; readonly isRecent: boolean };
    readonly maintenance: boolean;
  };
  /** Orders that a Sentinel has carried out since the last one became too old to count. */
  readonly accepted: number;
  /** A note without an order may remain: its bridge died, lost the lease, or learned of maintenance. */
  readonly mayBeClaimed: boolean;
  readonly budget: CrashBudget;
}

export interface CrashBudget {
  readonly deaths: number;
  readonly returns: number;
  readonly cuts: number;
  readonly maintenance: number;
  readonly leaseLosses: number;
  readonly bridgeDeaths: number;
  readonly lostAnswers: number;
  readonly rejections: number;
}

const noCrashFaults: CrashBudget = {
  deaths: 0,
  returns: 0,
  cuts: 0,
  maintenance: 0,
  leaseLosses: 0,
  bridgeDeaths: 0,
  lostAnswers: 0,
  rejections: 0,
};

const watching: JudgingState = {
  connect: 'connected',
  isRejected: false,
  isPublished: false,
  others: 'unread',
  knowsMaintenance: false,
  lacksRight: false,
  isDone: false,
};

export function crashWorld(given: {
  readonly bridges: number;
  readonly budget: Partial<CrashBudget>;
  /** The first so many bridges may not order failovers. */
  readonly unprivileged?: number;
}): CrashWorld {
  const { bridges, budget, unprivileged = 0 } = given;
  return {
    master: 'up',
    isCut: false,
    failover: 'none',
    bridges: Array.from({ length: bridges }, (_, b) => ({ ...watching, lacksRight: b < unprivileged })),
    consul: { holder: undefined, order: { index: 0, isRecent: false }, maintenance: false },
    accepted: 0,
    mayBeClaimed: false,
    budget: { ...noCrashFaults, ...budget },
  };
}

export function isHealed(world: CrashWorld): CrashWorld {
  const { consul, bridges } = world;
  return {
    ...world,
    isCut: false,
    consul: { ...consul, maintenance: false },
    // A bridge judges a crash again when maintenance ends.
    bridges: bridges.map((bridge) => ({
      ...bridge,
      knowsMaintenance: false,
      isRejected: false,
      isDone: bridge.isDone && !bridge.knowsMaintenance,
    })),
    budget: noCrashFaults,
  };
}

/** What bridge `b` decides on. `alone`: as if no other bridge judged. */
export function situationOf(world: CrashWorld, b: number, { alone }: { readonly alone: boolean }): CrashSituation {
  const bridge = world.bridges[b] as JudgingState;
  const { others } = bridge;
  const linked = others === 'linked';
  const first = record('A', { previous: at('B') });
  return {
    master: at('A'),
    sign: { kind: 'refused', connection: { kind: 'refused', closedMs: 0, firstMs: 5, lastMs: 65, count: 4 } },
    crashAfterMs: 60,
    nowMs: 66,
    record: others === 'replaced' ? record('B', { epoch: 6, previous: at('A') }) : first,
    recordAgeMs: 600_000,
    election: 'unknown',
    lastOrderAgeMs: bridge.lease?.isRecent === true ? 0 : undefined,
    views: [1, 2, 3].map((n) =>
      view(n, 'A', 5, { linked, failoverTimeoutMs: 60_000, condition: others === 'failing-over' ? 'failover' : 'up' }),
    ),
    knownSentinels: 3,
    replicas: ['B', 'C', 'D'].map((letter) => ({
      address: at(letter),
      link: linked ? ('connected' as const) : ('down' as const),
      wasInStep: true,
    })),
    bridges: world.bridges.flatMap(({ isPublished }, n) => {
      if (alone && n !== b) return [];
      return [{ bridge: `${n}`, place: 'elsewhere' as const, sees: isPublished || n === b ? 'crash' : 'no-crash' }];
    }),
    maintenance: bridge.knowsMaintenance ? 'it is in maintenance' : undefined,
  };
}
