import { type Address, formatAddress } from '../model/address.ts';
import type { CrashSign } from '../model/crash.ts';
import type { CrashEnd } from './subject.ts';

/** The evidence of a case for the journal, as far as it does not depend on who fails over. */
export function toEvidence(end: CrashEnd<unknown>): Readonly<Record<string, unknown>> {
  const { sign, target, bridges, startedMs, provenMs, endedMs } = end;
  const sinceCloseMs = (ms: number) => Math.round((ms - startedMs) * 10) / 10;
  return {
    cause: 'crash',
    sign: toFacts(sign),
    stages: {
      ...(provenMs === undefined ? {} : { provenMs: sinceCloseMs(provenMs) }),
      ...(target === undefined ? {} : { orderedMs: sinceCloseMs(endedMs) }),
    },
    bridges,
  };
}

/** The hint of the report about a crash, and its outcome. `target`: the server that was ordered `order`; none, for the reason `why`. */
export function describeCrash(end: {
  readonly master: Address;
  readonly sign: CrashSign['kind'];
  readonly target: Address | undefined;
  readonly order: 'to fail over' | 'to take over';
  readonly why: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}) {
  const { sign, target, order, why, details } = end;
  const address = formatAddress(end.master);
  const found =
    sign === 'refused'
      ? `${address} has crashed: its host refuses connections`
      : `${address} started again with fewer keys than its replicas`;
  const outcome =
    target === undefined
      ? ({ kind: 'held', summary: `${found}. No failover was ordered: ${why}`, details } as const)
      : ({ kind: 'applied', summary: `${found}. Ordered ${formatAddress(target)} ${order}`, details } as const);
  return { hint: [`redis ${address}`, 'closed the connection'], outcome } as const;
}

function toFacts(sign: CrashSign): object {
  if (sign.kind === 'emptied' || sign.connection.kind !== 'refused') return sign;
  const { count, firstMs, lastMs } = sign.connection;
  return { kind: sign.kind, refusals: count, forMs: Math.round(lastMs - firstMs) };
}
