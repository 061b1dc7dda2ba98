import { ConsulClient } from '../client/consul.ts';
import type { ConsulConfig } from '../config/model.ts';
import { revealTls } from '../config/reveal.ts';
import type { Secret } from '../config/secret.ts';
import type { AclRule } from '../model/acl/rule.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { Part } from '../part.ts';
import { AgentProbe, type AgentState } from './agent-probe.ts';
import { HeardReader } from './heard-reader.ts';
import { PooledReader } from './pooled-reader.ts';
import { RightsProbe, type RightsProbeOptions } from './rights-probe.ts';
import { CatalogWatches, type CatalogWatchesOptions, type Denial } from './watches.ts';

export interface ConsulPartOptions extends Pick<CatalogWatchesOptions, 'onConnectionChange' | 'onDenied' | 'onTree'> {
  /** The present token, where it may be rotated. Default: that of the config. */
  readonly token?: () => Secret | undefined;
  /** Called when the agent stops answering, and when it answers again. Without it, the agent is not probed. */
  readonly onAgentChange?: (state: AgentState) => void;
  /** The rights that the daemon needs. Without it, nobody asks whether the token still has them. */
  readonly rights?: Pick<RightsProbeOptions, 'onChange'> & {
    /** `queries` are being watched. */
    readonly rules: (queries: readonly ConsulQuery[]) => readonly AclRule[];
  };
}

const proofTimeoutMs = 5_000;

/** The connection to Consul that all other parts share, and its blocking queries. */
export class ConsulPart implements Part {
  readonly name = 'consul';
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly #probe: AgentProbe | undefined;
  readonly #rights: RightsProbe | undefined;
  #proof: Promise<void> | undefined;

  constructor(config: ConsulConfig, options: ConsulPartOptions = {}) {
    const { token: configured, auth, tls, connections, maxStaleMs, ...rest } = config;
    const { token = () => configured } = options;
    this.client = new ConsulClient({
      ...rest,
      token: () => token()?.reveal(),
      ...(tls === undefined ? {} : { tls: revealTls(tls) }),
      ...(auth === undefined ? {} : { auth: auth.reveal() }),
      onTransaction: () => this.watches.retryNow(),
    });
    const reader = new HeardReader(new PooledReader(this.client, { ownConnections: connections }));
    this.watches = new CatalogWatches({ ...options, limits: { maxStaleMs }, client: reader });
    const { onAgentChange, rights } = options;
    if (rights !== undefined)
      this.#rights = new RightsProbe({
        ...rights,
        rules: () => rights.rules(this.watches.queries),
        client: this.client,
      });
    if (onAgentChange === undefined) return;
    this.#probe = new AgentProbe({
      ask: async (limits) => {
        const leader = { method: 'get', path: '/status/leader', what: 'its leader' } as const;
        await this.client.send(leader, { ...limits, priority: 'failover' });
        this.#proveScope();
      },
      // Each request of the probe also repeats a proof that failed.
      heardMs: () => (this.client.isScopeProven ? reader.heardMs : Number.NEGATIVE_INFINITY),
      onChange: (state) => {
        onAgentChange(state);
        if (state.kind === 'answering') this.watches.retryNow();
      },
    });
  }

  /** What Consul denies to the token now: a right that it has lost, unless a query names it already. */
  get denied(): readonly Denial[] {
    const { denied } = this.watches;
    const named = denied.map(({ error }) => error.message).join('\n');
    return [...denied, ...(this.#rights?.denials ?? []).filter(({ query }) => !named.includes(query))];
  }

  get scope(): ConsulScope | undefined {
    return this.client.scope;
  }

  start(): void {
    this.#proveScope();
    void this.#probe?.run();
    void this.#rights?.run();
  }

  async stop(): Promise<void> {
    this.#probe?.stop();
    this.#rights?.stop();
    await this.watches.close();
    this.client.close();
  }

  ready(): { ready: true } {
    return { ready: true };
  }

  /** No write waits for the proof then, not even the first failover after Consul was down. */
  #proveScope(): void {
    this.#proof ??= this.client
      .proveScope({ timeoutMs: proofTimeoutMs })
      .catch(() => undefined)
      .finally(() => {
        this.#proof = undefined;
      });
  }
}
