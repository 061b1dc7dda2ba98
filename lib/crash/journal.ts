import type { CrashSign } from '../model/crash.ts';
import type { CrashEnd } from './case.ts';

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

function toFacts(sign: CrashSign): object {
  if (sign.kind === 'emptied' || sign.connection.kind !== 'refused') return sign;
  const { count, firstMs, lastMs } = sign.connection;
  return { kind: sign.kind, refusals: count, forMs: Math.round(lastMs - firstMs) };
}
