import type { CheckSettings, HeldCheck } from '../model/instance.ts';
import type { ProbeResult } from '../model/probe-result.ts';
import type { ExpectedRole, Verdict } from './plan/health.ts';
import { addVerdict, type Hysteresis, isPending } from './plan/hysteresis.ts';
import type { RecordedRole } from './plan/recorded-role.ts';
import type { CheckReport } from './plan/registration.ts';

/** What the registrar remembers of one instance between two probes. A restart may lose all of it. */
export class InstanceMemory {
  #check: Hysteresis | undefined;
  #version: string | undefined;
  #recorded: RecordedRole | undefined;
  #probedAt: Date | undefined;
  #registered = false;
  readonly #writtenTags = new Set<string>();
  #refusal: string | undefined;
  #original: string | undefined;
  #uncomparedSinceMs: number | undefined;
  /** The last time that the process had the role that the record has for it. */
  #agreed: { readonly runId: string; readonly expected: ExpectedRole } | undefined;
  #mismatchSinceMs: number | undefined;

  /** The state of the check; undefined before the first probe. */
  get check(): CheckReport | undefined {
    return this.#check;
  }

  /** Whether the last probes contradict the check. */
  get isCheckPending(): boolean {
    return this.#check !== undefined && isPending(this.#check);
  }

  /** The last known version of the program. */
  get version(): string | undefined {
    return this.#version;
  }

  get recorded(): RecordedRole | undefined {
    return this.#recorded;
  }

  get probedAt(): Date | undefined {
    return this.#probedAt;
  }

  /** Whether this registrar has registered it at least once. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Each tag that this registrar has given it. */
  get writtenTags(): ReadonlySet<string> {
    return this.#writtenTags;
  }

  noteTags(tags: readonly string[]): void {
    for (const tag of tags) this.#writtenTags.add(tag);
  }

  /** Why the registrar must not register it; undefined where it may. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  setRefusal(refusal: string | undefined): void {
    this.#refusal = refusal;
  }

  /** The id of the instance that is registered for the same process; undefined where this one is. */
  get original(): string | undefined {
    return this.#original;
  }

  setOriginal(id: string | undefined): void {
    this.#original = id;
  }

  /** For how long another instance has been waited for that may lead to the same process. */
  uncomparedMs(uncompared: readonly string[], nowMs: number): number | undefined {
    this.#uncomparedSinceMs = uncompared.length === 0 ? undefined : (this.#uncomparedSinceMs ?? nowMs);
    return this.#uncomparedSinceMs === undefined ? undefined : nowMs - this.#uncomparedSinceMs;
  }

  noteProbe(result: ProbeResult, recorded: RecordedRole): void {
    this.#recorded = recorded;
    this.#probedAt = new Date();
    if ('version' in result && result.version !== '') this.#version = result.version;
  }

  noteRegistration(): void {
    this.#registered = true;
  }

  /** See `Judging.mismatchMs`. */
  mismatchMs(result: ProbeResult, at: { readonly expected: ExpectedRole; readonly nowMs: number }): number {
    const { expected, nowMs } = at;
    if (result.kind !== 'redis' || expected === 'unknown' || result.role === 'other') return 0;
    if (result.role === expected) {
      this.#agreed = { runId: result.runId, expected };
      this.#mismatchSinceMs = undefined;
      return 0;
    }
    const moved = this.#agreed?.runId === result.runId && this.#agreed.expected === expected;
    if (!moved) return Number.POSITIVE_INFINITY;
    this.#mismatchSinceMs ??= nowMs;
    return nowMs - this.#mismatchSinceMs;
  }

  /** The state of the check after one more verdict. After a restart it continues from the state that the agent holds. */
  addVerdict(
    verdict: Verdict,
    at: { readonly settings: CheckSettings; readonly held: HeldCheck | undefined },
  ): CheckReport {
    const { settings, held } = at;
    const reported = held === undefined || held.output === '' ? undefined : { ...held, worse: 0, better: 0 };
    this.#check = addVerdict(this.#check ?? reported, verdict, settings);
    return { status: this.#check.status, output: this.#check.output };
  }
}
