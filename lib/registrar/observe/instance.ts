import type { RedisAccess } from '../../client/redis-connection.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import type { InstanceProfile, ProbeAnswer, ProbeResult } from '../../model/probe-result.ts';
import type { InstanceProbe } from '../kinds/kind.ts';
import { behaviourOf, openProbe } from '../kinds/table.ts';
import { SameProcess } from './same-process.ts';

export interface InstanceSourceOptions {
  readonly spec: InstanceSpec;
  readonly access: RedisAccess;
  /** Something happened that the next probe may show. */
  readonly onHint: (event: string) => void;
}

/** One instance of this node, probed on request. */
export class InstanceSource {
  readonly spec: InstanceSpec;
  /** Which addresses of the records lead to this instance. */
  readonly process: SameProcess;
  readonly #probe: InstanceProbe<ProbeAnswer>;
  #profile: { readonly value: InstanceProfile; readonly readMs: number } | undefined;

  constructor(options: InstanceSourceOptions) {
    const { spec, access, onHint } = options;
    this.spec = spec;
    this.process = new SameProcess(access);
    this.#probe = openProbe({
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
  probe(): Promise<ProbeResult> {
    return this.#probe.probe();
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

  close(): void {
    this.#probe.close();
    this.process.close();
  }
}
