import type { RedisAccess } from '../../client/redis-connection.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import type { InstanceProfile, ProbeAnswer, ProbeResult } from '../../model/probe-result.ts';
import type { InstanceProbe } from '../kinds/kind.ts';
import { behaviourOf, openProbe } from '../kinds/table.ts';
import type { KnownProcess } from '../plan/duplicates.ts';
import { SameProcess } from './same-process.ts';

export interface InstanceSourceOptions {
  readonly spec: InstanceSpec;
  readonly access: RedisAccess;
  /** Something happened that the next probe may show. */
  readonly onHint: (event: string) => void;
  /** Default: the probe of its kind. */
  readonly open?: typeof openProbe;
}

/** One instance of this node, probed on request. */
export class InstanceSource {
  readonly spec: InstanceSpec;
  readonly access: RedisAccess;
  /** Which addresses of the records lead to this instance. */
  readonly process: SameProcess;
  /** Resolves at the end of the first probe. */
  readonly probed: Promise<void>;
  readonly #endFirstProbe: () => void;
  readonly #probe: InstanceProbe<ProbeAnswer>;
  #running: { readonly askedMs: number; readonly ended: Promise<unknown> } | undefined;
  #answered: KnownProcess | undefined;
  #profile: { readonly value: InstanceProfile; readonly readMs: number } | undefined;

  constructor(options: InstanceSourceOptions) {
    const { spec, access, onHint, open = openProbe } = options;
    this.spec = spec;
    this.access = access;
    this.process = new SameProcess(access);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.probed = promise;
    this.#endFirstProbe = resolve;
    this.#probe = open({
      spec,
      access,
      onLinkState: (state) => {
        // Another process may listen there now. Until it answers, the last known profile remains.
        if (this.#profile !== undefined) this.#profile = { ...this.#profile, readMs: Number.NEGATIVE_INFINITY };
        onHint(state === 'up' ? 'connected' : 'disconnected');
      },
    });
  }

  /** Never rejects. */
  async probe(): Promise<ProbeResult> {
    const askedMs = performance.now();
    const ended = this.#probe.probe();
    const running = { askedMs, ended };
    this.#running = running;
    const result = await ended;
    if (this.#running === running) this.#running = undefined;
    this.#noteProcess(result, askedMs);
    this.#endFirstProbe();
    return result;
  }

  /** Probes once more, unless a probe that began after `sinceMs` is known or under way. */
  async probeSince(sinceMs: number): Promise<void> {
    if (this.#answered !== undefined && this.#answered.askedMs > sinceMs) return;
    const running = this.#running;
    await (running !== undefined && running.askedMs > sinceMs ? running.ended : this.probe());
  }

  /** The process that answered last; undefined before the first answer. */
  get answered(): KnownProcess | undefined {
    return this.#answered;
  }

  /** The last known profile where the instance does not answer; undefined where it never did. */
  async profile(nowMs: number): Promise<InstanceProfile | undefined> {
    const freshMs = behaviourOf(this.spec.kind).profileMs(this.spec);
    if (this.#profile !== undefined && nowMs - this.#profile.readMs < freshMs) return this.#profile.value;
    try {
      this.#profile = { value: await this.#probe.profile(), readMs: nowMs };
    } catch {
      // The probe of the same run reports what is wrong with the instance.
    }
    return this.#profile?.value;
  }

  #noteProcess(result: ProbeResult, askedMs: number): void {
    if (!('runId' in result) || result.runId === '') return;
    const { runId } = result;
    const sinceMs = this.#answered?.runId === runId ? this.#answered.sinceMs : performance.now();
    this.#answered = { runId, sinceMs, askedMs };
  }

  close(): void {
    this.#probe.close();
    this.process.close();
    this.#endFirstProbe();
  }
}
