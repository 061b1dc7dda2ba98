/*
 * Defaults that stand outside a section's schema: an environment variable or another key comes before them, or a command
 * needs them without the schema. Every other default is in a schema.
 */

/** Where the API listens, and where the commands look for it. */
export const defaultApiAddress = { host: '127.0.0.1', port: 8680 } as const;

/** Without `consul.address` and CONSUL_HTTP_ADDR. */
export const defaultConsulAddress = { host: '127.0.0.1', port: 8500 } as const;

/** Without `sentinel.addresses` and `sentinel.service`. */
export const defaultSentinelAddress = { host: '127.0.0.1', port: 26379 } as const;

/** `verify` of every `tls`; for Consul, CONSUL_HTTP_SSL_VERIFY comes before it. */
export const defaultTlsVerify = true;
