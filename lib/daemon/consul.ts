import { ConsulClient } from '../client/consul.ts';
import type { RedisAccess } from '../client/redis.ts';
import type { AccessConfig, ClientTls, ConsulConfig } from '../config/model.ts';
import { CatalogWatches, type Reach } from '../source/catalog.ts';
import { SparingReader } from '../source/sparing-reader.ts';
import type { Part } from './part.ts';

/** The connection to Consul that the other parts share, and its blocking queries. */
export class ConsulPart implements Part {
  readonly name = 'consul';
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;

  constructor(config: ConsulConfig, options: { readonly onReach?: (reach: Reach) => void } = {}) {
    const { token, tls, connections, ...rest } = config;
    this.client = new ConsulClient({
      ...rest,
      ...(token === undefined ? {} : { token: token.reveal() }),
      ...(tls === undefined ? {} : { tls: revealTls(tls) }),
      onTransaction: () => this.watches.hurry(),
    });
    const limits = connections === undefined ? {} : { ownConnections: connections };
    this.watches = new CatalogWatches({ ...options, client: new SparingReader(this.client, limits) });
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

/** TLS settings as clients take them. */
export function revealTls(tls: ClientTls): Omit<ClientTls, 'key'> & { readonly key?: string } {
  const { key, ...rest } = tls;
  return { ...rest, ...(key === undefined ? {} : { key: key.reveal() }) };
}

/** Credentials as clients take them. */
export function revealAccess({ username, password, tls }: AccessConfig): RedisAccess {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(tls === undefined ? {} : { tls: revealTls(tls) }),
  };
}
