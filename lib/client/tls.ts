import http from 'node:http';
import https from 'node:https';

/** TLS settings of a client, as PEM texts. With `verify: false` the client accepts any certificate. */
export interface ClientTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  readonly verify: boolean;
}

/** The settings as options of node:tls. */
export function toTlsOptions({ ca, cert, key, serverName, verify }: ClientTls) {
  return {
    rejectUnauthorized: verify,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

/**
 * Keeps connections open. Without settings it speaks plain HTTP. Requests beyond `maxSockets` wait for a connection. With
 * `host`, every request goes there.
 */
export function makeHttpAgent(
  tls: ClientTls | undefined,
  options: { readonly maxSockets?: number; readonly maxFreeSockets?: number; readonly host?: string } = {},
): http.Agent {
  if (tls === undefined) return new http.Agent({ keepAlive: true, ...options });
  return new https.Agent({ keepAlive: true, ...options, ...toTlsOptions(tls) });
}
