import type { RedisAccess } from './redis-connection.ts';

export type Command = readonly [string, ...(string | number)[]];

/** As RESP has it: an array of strings. */
export function encodeCommand(command: Command): string {
  const words = command.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
  return `*${command.length}\r\n${words.join('')}`;
}

export function toLogin({ username, password }: RedisAccess): Command | undefined {
  if (username !== undefined && username !== '') return ['AUTH', username, password ?? ''];
  return password === undefined || password === '' ? undefined : ['AUTH', password];
}

/** The server needs no login, or is older than users: then its answers to commands show what it permits. */
const harmless = [
  'no password is set',
  'without any password configured for the default user',
  "wrong number of arguments for 'auth' command",
];

/** Whether the answer to AUTH means that the connection is of no use. */
export function refusesLogin(answer: string): boolean {
  return !harmless.some((text) => answer.includes(text));
}
