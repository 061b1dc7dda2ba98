import type { Address } from './address.ts';
import type { ConsulScope } from './consul-scope.ts';

/** The words of a redis-cli command for a server, up to the command itself. */
export function redisCliWords({ host, port }: Address, options: readonly string[]): readonly string[] {
  return ['redis-cli', '-h', shellWord(host), '-p', String(port), ...options.map(shellWord)];
}

/** One word as a POSIX shell reads it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command of the program `consul` in the namespace and the partition, as `consul kv delete -namespace=team KEY`: options go
 * before the operands.
 */
export function consulCommand(
  command: 'kv get' | 'kv put' | 'kv delete' | 'services deregister',
  { scope, operands }: { readonly scope: ConsulScope | undefined; readonly operands: readonly string[] },
): string {
  const options = scope === undefined ? [] : [`-namespace=${scope.namespace}`, ...partitionOption(scope)];
  return ['consul', command, ...options, ...operands.map(shellWord)].join(' ');
}

/** For commands about nodes, which are in a partition and in no namespace. */
export function partitionOption(scope: ConsulScope | undefined): readonly string[] {
  return scope?.partition === undefined ? [] : [`-partition=${scope.partition}`];
}
