import { type CheckStatus, checkStatuses } from '../../model/catalog.ts';
import type { CheckSettings } from '../../model/instance.ts';
import type { Verdict } from './health.ts';

/** The state of a check, and how many probes contradicted it since. */
export interface Hysteresis {
  readonly status: CheckStatus;
  readonly output: string;
  /** How many consecutive probes were worse than `status`. */
  readonly worse: number;
  /** How many consecutive probes were better than `status`. */
  readonly better: number;
}

/**
 * The state of the check after one more probe. It gets worse after `fall` consecutive probes and better after `rise`. An
 * urgent verdict takes effect at once, and so does another output for the same status, because it changes nothing in DNS.
 * `before` is undefined at the first probe, which takes effect at once too.
 */
export function addVerdict(
  before: Hysteresis | undefined,
  verdict: Verdict,
  settings: Pick<CheckSettings, 'fall' | 'rise'>,
): Hysteresis {
  const { status, output, urgent } = verdict;
  const after: Hysteresis = { status, output, worse: 0, better: 0 };
  if (before === undefined || urgent) return after;
  const change = checkStatuses.indexOf(status) - checkStatuses.indexOf(before.status);
  if (change === 0) return after;
  const worse = change > 0 ? before.worse + 1 : 0;
  const better = change < 0 ? before.better + 1 : 0;
  if (worse >= settings.fall || better >= settings.rise) return after;
  return { ...before, worse, better };
}

/** Whether the last probes contradict the check, so that the next probe should come soon. */
export function isPending({ worse, better }: Hysteresis): boolean {
  return worse > 0 || better > 0;
}
