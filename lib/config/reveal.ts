import type { RedisAccess } from '../client/redis.ts';
import type { AccessConfig, ClientTls } from './model.ts';

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
