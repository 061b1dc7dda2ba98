import type { CheckSettings, HeldCheck } from '../model/instance.ts';
import type { ProbeResult } from '../model/probe-result.ts';
import type { ExpectedRole, Verdict } from './plan/health.ts';
import { type Hysteresis, steady } from './plan/hysteresis.ts';
import type { Standing } from './plan/registration.ts';

/** What a registrar remembers of one instance between two looks. All of it can be lost. */
export class InstanceMemory {
  /** What the check says. */
  steady: Hysteresis | undefined;
  version: string | undefined;
  probeResult: ProbeResult | undefined;
  standing: Standing | undefined;
  seenAt: Date | undefined;
  /** Whether this registrar has registered it at least once. */
  registered = false;
  /** Why it may not be registered. */
  refusal: string | undefined;
  /** The last time that the process had the role that the record has for it. */
  #agreed: { readonly runId: string; readonly expected: ExpectedRole } | undefined;
  #mismatchSinceMs: number | undefined;

  saw(probeResult: ProbeResult, standing: Standing): void {
    this.probeResult = probeResult;
    this.standing = standing;
    this.seenAt = new Date();
    if ('version' in probeResult && probeResult.version !== '') this.version = probeResult.version;
  }

  /** See `Judging.mismatchMs`. */
  mismatchMs(probeResult: ProbeResult, at: { readonly expected: ExpectedRole; readonly nowMs: number }): number {
    const { expected, nowMs } = at;
    if (probeResult.kind !== 'redis' || expected === 'unknown' || probeResult.role === 'other') return 0;
    if (probeResult.role === expected) {
      this.#agreed = { runId: probeResult.runId, expected };
      this.#mismatchSinceMs = undefined;
      return 0;
    }
    const moved = this.#agreed?.runId === probeResult.runId && this.#agreed.expected === expected;
    if (!moved) return Number.POSITIVE_INFINITY;
    this.#mismatchSinceMs ??= nowMs;
    return nowMs - this.#mismatchSinceMs;
  }

  /** What the check says after one more look; a daemon that was restarted goes on from what the agent holds. */
  judge(
    verdict: Verdict,
    at: { readonly settings: CheckSettings; readonly held: HeldCheck | undefined },
  ): Pick<Hysteresis, 'status' | 'output'> {
    const { settings, held } = at;
    const told = held === undefined || held.output === '' ? undefined : { ...held, worse: 0, better: 0 };
    this.steady = steady(this.steady ?? told, verdict, settings);
    return { status: this.steady.status, output: this.steady.output };
  }
}
