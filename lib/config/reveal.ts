import type { TlsOptions } from 'node:tls';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { AccessConfig, ClientTls, ServerTls } from './model.ts';

/** TLS settings with the plain key, for clients. */
export function revealTls(tls: ClientTls): Omit<ClientTls, 'key'> & { readonly key?: string } {
  const { key, ...rest } = tls;
  return { ...rest, ...(key === undefined ? {} : { key: key.reveal() }) };
}

/** A section of the config with the plain password, for clients. */
export type Revealed<Section extends { readonly access: AccessConfig }> = Omit<Section, 'access'> & {
  readonly access: RedisAccess;
};

export function reveal<Section extends { readonly access: AccessConfig }>(section: Section): Revealed<Section> {
  return { ...section, access: revealAccess(section.access) };
}

/** Credentials with the plain password, for clients. */
export function revealAccess({ username, password, tls }: AccessConfig): RedisAccess {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password.reveal() }),
    ...(tls === undefined ? {} : { tls: revealTls(tls) }),
  };
}

/** TLS settings with the plain key, as Node's servers take them. */
export function revealServerTls({ cert, key, clientCa }: ServerTls): TlsOptions {
  const own = { cert, key: key.reveal() };
  return clientCa === undefined ? own : { ...own, ca: clientCa, requestCert: true, rejectUnauthorized: true };
}
