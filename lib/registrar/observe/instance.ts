import { InstanceLink } from '../../client/instance.ts';
import { lookAtHaproxy, TwemproxyProbe } from '../../client/proxy.ts';
import type { RedisAccess } from '../../client/redis.ts';
import type { InstanceSpec } from '../../model/instance.ts';
import type { InstanceProfile, ProbeResult } from '../../model/probe-result.ts';

export interface InstanceSourceOptions {
  readonly spec: InstanceSpec;
  readonly access: RedisAccess;
  /** Something happened that a look would show. */
  readonly onHint: (event: string) => void;
}

/** How long what an instance says of itself is believed. */
const profileMs = 10_000;

/** One instance of this node, looked at whenever it is asked for. */
export class InstanceSource {
  readonly spec: InstanceSpec;
  readonly #link: InstanceLink | undefined;
  readonly #twemproxy: TwemproxyProbe;
  #profile: { readonly value: InstanceProfile; readonly readMs: number } | undefined;

  constructor(options: InstanceSourceOptions) {
    const { spec, access, onHint } = options;
    this.spec = spec;
    this.#twemproxy = new TwemproxyProbe({ address: spec.address, stats: spec.stats });
    if (spec.kind === 'twemproxy' || spec.kind === 'haproxy') return;
    this.#link = new InstanceLink({
      address: spec.address,
      access,
      onTurn: (turn) => {
        // Somebody else may answer there now; until then the last known stands.
        if (this.#profile !== undefined) this.#profile = { ...this.#profile, readMs: Number.NEGATIVE_INFINITY };
        onHint(turn === 'up' ? 'connected' : 'disconnected');
      },
    });
  }

  async look(): Promise<ProbeResult> {
    const { kind, address, stats, checks } = this.spec;
    const options = { timeoutMs: checks.timeoutMs };
    switch (kind) {
      case 'redis':
      case 'cluster':
      case 'sentinel':
        return this.#requireLink().look(kind, options);
      case 'twemproxy':
        return this.#twemproxy.look(options);
      case 'haproxy':
        return lookAtHaproxy({ address, stats }, options);
    }
  }

  /** What it says of itself; the last known where it does not answer, and undefined where it never did. */
  async profile(nowMs: number): Promise<InstanceProfile | undefined> {
    const { kind, checks } = this.spec;
    if (kind === 'twemproxy' || kind === 'haproxy') return { announced: undefined, slots: undefined };
    // A cluster node's slots may move at any time.
    const freshMs = kind === 'cluster' ? checks.intervalMs : profileMs;
    if (this.#profile !== undefined && nowMs - this.#profile.readMs < freshMs) return this.#profile.value;
    try {
      const value = await this.#requireLink().profile(kind, { timeoutMs: checks.timeoutMs });
      this.#profile = { value, readMs: nowMs };
    } catch {
      // The look tells what is wrong with it.
    }
    return this.#profile?.value;
  }

  close(): void {
    this.#link?.close();
  }

  #requireLink(): InstanceLink {
    return this.#link as InstanceLink;
  }
}
