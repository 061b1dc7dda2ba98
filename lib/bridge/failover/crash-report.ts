import { type Address, formatAddress } from '../../model/address.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { CrashReplica, CrashSign, JudgingBridge } from '../plan/crash.ts';

/** The end of a case that is worth a report: what was found, and what was done about it. */
export interface CrashReport {
  readonly name: string;
  readonly master: Address;
  readonly sign: CrashSign['kind'];
  /** The Sentinel that was ordered to fail over; undefined where none was, for the reason `why`. */
  readonly sentinel: Address | undefined;
  readonly why: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What the bridge knew at the end of a case. Times are milliseconds of `performance.now()`. */
export interface CrashKnowledge {
  readonly startedMs: number;
  readonly provenMs: number | undefined;
  readonly endedMs: number;
  readonly bridges: readonly JudgingBridge[];
  readonly views: readonly SentinelView[];
  readonly replicas: readonly CrashReplica[];
}

/** The evidence for the journal. */
export function toCrashDetails(
  sign: CrashSign,
  known: CrashKnowledge & { readonly sentinel: Address | undefined },
): CrashReport['details'] {
  const { startedMs, provenMs, endedMs, bridges, views, replicas, sentinel } = known;
  const sinceCloseMs = (ms: number) => Math.round((ms - startedMs) * 10) / 10;
  return {
    cause: 'crash',
    sign: toFacts(sign),
    stages: {
      ...(provenMs === undefined ? {} : { provenMs: sinceCloseMs(provenMs) }),
      ...(sentinel === undefined ? {} : { orderedMs: sinceCloseMs(endedMs) }),
    },
    ...(sentinel === undefined ? {} : { sentinel: formatAddress(sentinel) }),
    bridges,
    replicas: replicas.map((replica) => ({ ...replica, address: formatAddress(replica.address) })),
    sentinels: views.map((view) => ({
      sentinel: formatAddress(view.sentinel),
      link: view.linked ? 'up' : 'down',
      condition: view.condition,
    })),
  };
}

function toFacts(sign: CrashSign): object {
  if (sign.kind === 'emptied' || sign.connection.kind !== 'refused') return sign;
  const { count, firstMs, lastMs } = sign.connection;
  return { kind: sign.kind, refusals: count, forMs: Math.round(lastMs - firstMs) };
}
