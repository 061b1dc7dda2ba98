/*
 * Defaults with a name: several schemas or a command need them, or an environment variable takes precedence over them. Every
 * other default is in its section's schema.
 */

/** Where the API listens, and where the commands look for it. */
export const defaultApiAddress = { host: '127.0.0.1', port: 8680 } as const;

/** Without `consul.address` and CONSUL_HTTP_ADDR. */
export const defaultConsulAddress = { host: '127.0.0.1', port: 8500 } as const;

/** Without `sentinel.addresses` and `sentinel.service`; the endpoint, which answers in Sentinel's place, listens there too. */
export const defaultSentinelAddress = { host: '127.0.0.1', port: 26379 } as const;

/** `verify` of every `tls`; for Consul, CONSUL_HTTP_SSL_VERIFY takes precedence. */
export const defaultTlsVerify = true;
