import type { Resolution } from './resolution.ts';

/** How switchmaster reaches Consul. */
type Transport = 'plain' | 'tls' | 'socket';

/** Warns about variables of `consul` and of consul-template that are set and have no effect here. */
export function warnOfIgnoredVariables(resolution: Resolution, transport: Transport): void {
  const isSet = (name: string) => resolution.variable(name) !== undefined;
  const warn = (name: string, message: string, hint: string) => resolution.warn({ variable: name }, { message, hint });
  if (transport !== 'tls') {
    const why = transport === 'socket' ? 'goes through a socket' : 'does not use TLS';
    const remedy = 'set CONSUL_HTTP_SSL=true or an address that begins with https://, or unset it';
    const names = transport === 'socket' ? ['CONSUL_HTTP_SSL', ...tlsVariables] : tlsVariables;
    for (const name of names.filter(isSet))
      warn(name, `has no effect: the connection to Consul ${why}`, transport === 'socket' ? 'unset it' : remedy);
  }
  for (const name of grpcVariables.filter(isSet))
    warn(name, 'has no effect: switchmaster uses the HTTP API of Consul alone', 'unset it');
  for (const name of ['CONSUL_TOKEN'].filter(isSet))
    warn(name, 'has no effect: only consul-template reads it', 'set CONSUL_HTTP_TOKEN, or CONSUL_HTTP_TOKEN_FILE');
}

const tlsVariables: readonly string[] = [
  'CONSUL_CACERT',
  'CONSUL_CAPATH',
  'CONSUL_CLIENT_CERT',
  'CONSUL_CLIENT_KEY',
  'CONSUL_TLS_SERVER_NAME',
  'CONSUL_HTTP_SSL_VERIFY',
];

const grpcVariables: readonly string[] = ['CONSUL_GRPC_ADDR', 'CONSUL_GRPC_CACERT', 'CONSUL_GRPC_CAPATH'];
