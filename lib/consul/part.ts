import { ConsulClient } from '../client/consul.ts';
import type { ConsulConfig } from '../config/model.ts';
import { revealTls } from '../config/reveal.ts';
import type { Secret } from '../config/secret.ts';
import type { Part } from '../part.ts';
import { PooledReader } from './pooled-reader.ts';
import { CatalogWatches, type CatalogWatchesOptions } from './watches.ts';

export interface ConsulPartOptions extends Pick<CatalogWatchesOptions, 'onConnectionChange' | 'onDenied' | 'onTree'> {
  /** The present token, where it may be rotated. Default: that of the config. */
  readonly token?: () => Secret | undefined;
}

/** The connection to Consul that all other parts share, and its blocking queries. */
export class ConsulPart implements Part {
  readonly name = 'consul';
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;

  constructor(config: ConsulConfig, options: ConsulPartOptions = {}) {
    const { token: configured, auth, tls, connections, ignoredVariables: _, ...rest } = config;
    const { token = () => configured } = options;
    this.client = new ConsulClient({
      ...rest,
      token: () => token()?.reveal(),
      ...(tls === undefined ? {} : { tls: revealTls(tls) }),
      ...(auth === undefined ? {} : { auth: auth.reveal() }),
      onTransaction: () => this.watches.retryNow(),
    });
    this.watches = new CatalogWatches({
      ...options,
      client: new PooledReader(this.client, { ownConnections: connections }),
    });
  }

  start(): void {}

  async stop(): Promise<void> {
    await this.watches.close();
    this.client.close();
  }

  ready(): { ready: true } {
    return { ready: true };
  }
}
