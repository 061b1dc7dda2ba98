import { type Address, formatAddress } from '../model/address.ts';
import type { CrashSign } from '../model/crash.ts';
import { type CrashEndKind, crashEnds } from '../model/crash-end.ts';
import type { CrashEnd } from './subject.ts';

/** The evidence of a case for the journal, as far as it does not depend on who fails over. */
export function toEvidence(end: CrashEnd<unknown>): Readonly<Record<string, unknown>> {
  const { kind, sign, target, bridges, startedMs, provenMs, endedMs } = end;
  const sinceCloseMs = (ms: number) => Math.round((ms - startedMs) * 10) / 10;
  return {
    cause: 'crash',
    end: kind,
    sign: toFacts(sign),
    stages: {
      ...(provenMs === undefined ? {} : { provenMs: sinceCloseMs(provenMs) }),
      ...(target === undefined ? {} : { orderedMs: sinceCloseMs(endedMs) }),
    },
    bridges,
  };
}

/** The end of a proven crash, as far as a sentence about it needs it. */
export interface DescribedEnd {
  readonly kind: CrashEndKind;
  readonly master: Address;
  readonly sign: CrashSign['kind'];
  /** Why this bridge ordered nothing. */
  readonly why: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The hint of the report about a crash, and its outcome. `target`: the server that was ordered `order`. */
export function describeCrash(
  end: DescribedEnd & { readonly target: Address | undefined; readonly order: 'to fail over' | 'to take over' },
) {
  const { kind, sign, target, order, why, details } = end;
  const address = formatAddress(end.master);
  const found =
    sign === 'refused'
      ? `${address} has crashed: its host refuses connections`
      : `${address} started again with fewer keys than its replicas`;
  const results = {
    applied: `Ordered ${target === undefined ? 'a server' : formatAddress(target)} ${order}`,
    fenced: `This bridge ordered no failover: ${why}`,
    held: `No failover was ordered: ${why}`,
  };
  const { outcome } = crashEnds[kind];
  return {
    hint: [`redis ${address}`, 'closed the connection'],
    outcome: { kind: outcome, summary: `${found}. ${results[outcome]}`, details },
  } as const;
}

function toFacts(sign: CrashSign): object {
  if (sign.kind === 'emptied' || sign.connection.kind !== 'refused') return sign;
  const { count, firstMs, lastMs } = sign.connection;
  return { kind: sign.kind, refusals: count, forMs: Math.round(lastMs - firstMs) };
}
