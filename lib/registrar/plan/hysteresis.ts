import type { CheckStatus } from '../../model/catalog.ts';
import type { CheckSettings } from '../../model/instance.ts';
import type { Verdict } from './health.ts';

/** What the check says, and what the last looks said instead. */
export interface Hysteresis {
  readonly status: CheckStatus;
  readonly output: string;
  /** How many looks in a row said something worse, or something better. */
  readonly worse: number;
  readonly better: number;
}

const severity: Readonly<Record<CheckStatus, number>> = { passing: 0, warning: 1, critical: 2 };

/**
 * Hysteresis: a change for the worse is told after `fall` looks in a row, one for the better after `rise`; urgent ones
 * at once. Another reason for the same state is told at once: it moves nobody in or out of DNS.
 * `before` is undefined at the very first look, which is believed.
 */
export function steady(
  before: Hysteresis | undefined,
  verdict: Verdict,
  settings: Pick<CheckSettings, 'fall' | 'rise'>,
): Hysteresis {
  const { status, output, urgent } = verdict;
  const told: Hysteresis = { status, output, worse: 0, better: 0 };
  if (before === undefined || urgent) return told;
  const change = severity[status] - severity[before.status];
  if (change === 0) return told;
  const worse = change > 0 ? before.worse + 1 : 0;
  const better = change < 0 ? before.better + 1 : 0;
  if (worse >= settings.fall || better >= settings.rise) return told;
  return { ...before, worse, better };
}

/** True while looks disagree with what the check says: worth looking again soon. */
export function hysteresisPending({ worse, better }: Hysteresis): boolean {
  return worse > 0 || better > 0;
}
