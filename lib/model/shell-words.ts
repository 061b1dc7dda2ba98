import type { Address } from './address.ts';

/** The words of a redis-cli command for a server, up to the command itself. */
export function redisCliWords({ host, port }: Address, options: readonly string[]): readonly string[] {
  return ['redis-cli', '-h', shellWord(host), '-p', String(port), ...options.map(shellWord)];
}

/** One word as a POSIX shell reads it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
