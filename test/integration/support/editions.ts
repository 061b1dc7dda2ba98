import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type OtherEdition = 'valkey' | 'redis8' | 'valkey9';

const tools = join(import.meta.dirname, '../../../.tools/bin');
const known: readonly OtherEdition[] = ['valkey', 'redis8', 'valkey9'];
const unpackedEditions = known.filter((edition) => existsSync(join(tools, `${edition}-server`)));

const wanted = process.env.EDITIONS?.split(',') ?? [];

/**
 * Editions beside the machine's own Redis: the first that is unpacked, to save time, all of them with `EDITIONS=all` (`npm run
 * test:editions`), or the named ones: `EDITIONS=valkey9`.
 */
export const otherEditions = wanted.includes('all')
  ? unpackedEditions
  : wanted.length > 0
    ? unpackedEditions.filter((edition) => wanted.includes(edition))
    : unpackedEditions.slice(0, 1);

/** Sentinels of Valkey 9 know coordinated failovers. `npm test` unpacks it where it can. */
export const hasValkey9 = unpackedEditions.includes('valkey9');

/** The edition of the machine's own Redis: Debian 13 has Redis 8. */
export function ownEdition(): 'redis' | 'redis8' {
  return Number.parseInt(versionOf('redis-server').number, 10) < 8 ? 'redis' : 'redis8';
}

/** A server of another program or version than `redis-server`, as a program for a sandbox; undefined where none is unpacked. */
export function findUnlikeServer(): string | undefined {
  const own = versionOf('redis-server').text;
  return unpackedEditions
    .toReversed()
    .map((edition) => `${edition}-server`)
    .find((program) => versionOf(join(tools, program)).text !== own);
}

/** `text`: the name of the server and the version, without its last number. */
function versionOf(program: string): { readonly text: string; readonly number: string } {
  const [text = '', number = ''] =
    /^\w+ server v=(\d+\.\d+)/.exec(execFileSync(program, ['--version']).toString()) ?? [];
  return { text, number };
}
