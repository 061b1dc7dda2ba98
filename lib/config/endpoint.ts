import { isLoopback, isUnspecified } from '../model/address.ts';
import type { RawEndpoint } from './endpoint-schema.ts';
import type { EndpointConfig } from './model.ts';
import type { Resolution } from './resolution.ts';
import { readServerTls } from './tls.ts';

/** Reads the files that the section `sentinelEndpoint` names. */
export async function resolveEndpoint(resolution: Resolution, raw: RawEndpoint): Promise<EndpointConfig> {
  const { listen, announce, maxConnections } = raw;
  const password = await readPassword(resolution, raw);
  const tls =
    raw.tls === undefined
      ? undefined
      : await readServerTls(resolution, { raw: raw.tls, at: ['sentinelEndpoint', 'tls'] });
  const operator = await readOperator(resolution, raw);
  reportExposure(resolution, raw);
  return {
    listen,
    maxConnections,
    idleMs: raw.idleTimeout,
    ...(announce === undefined ? {} : { announce }),
    ...(password === undefined ? {} : { reader: { username: raw.username, password } }),
    ...(operator === undefined ? {} : { operator }),
    ...(tls === undefined ? {} : { tls }),
  };
}

function readPassword(resolution: Resolution, { passwordFile }: RawEndpoint) {
  if (passwordFile === undefined) return resolution.secretVariable('SWITCHMASTER_SENTINEL_ENDPOINT_PASSWORD');
  return resolution.readSecret(passwordFile, { at: ['sentinelEndpoint', 'passwordFile'] });
}

async function readOperator(resolution: Resolution, { operator, username }: RawEndpoint) {
  if (operator === undefined) return undefined;
  const at = ['sentinelEndpoint', 'operator'];
  if (operator.username === username) {
    const hint = `name the operator anything but ${JSON.stringify(username)}`;
    resolution.report({ at: [...at, 'username'] }, { message: 'is also the name of the user that reads', hint });
  }
  const password = await resolution.readSecret(operator.passwordFile, { at: [...at, 'passwordFile'] });
  return password === undefined ? undefined : { username: operator.username, password };
}

function reportExposure(
  resolution: Resolution,
  { listen, announce, allowRemote, tls, passwordFile }: RawEndpoint,
): void {
  if (!isLoopback(listen.host) && tls === undefined && passwordFile === undefined && !allowRemote) {
    resolution.report(
      { at: ['sentinelEndpoint', 'listen'] },
      {
        message: 'opens the endpoint to other machines without TLS or a password',
        hint: 'listen on 127.0.0.1, set passwordFile or tls, or set allowRemote: true',
      },
    );
  }
  if (isUnspecified(listen.host) && announce === undefined) {
    resolution.report(
      { at: ['sentinelEndpoint', 'listen'] },
      { message: 'is not an address that clients can use', hint: 'set announce to the address of this node' },
    );
  }
}
