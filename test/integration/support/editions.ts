import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type OtherEdition = 'valkey' | 'redis8' | 'valkey9';

const tools = join(import.meta.dirname, '../../../.tools/bin');
const known: readonly OtherEdition[] = ['valkey', 'redis8', 'valkey9'];
const unpacked = known.filter((edition) => existsSync(join(tools, `${edition}-server`)));

const wanted = process.env.EDITIONS?.split(',') ?? [];

/**
 * Editions beside the machine's own Redis: the first that is unpacked, to save time, all of them with `EDITIONS=all` (`npm run
 * test:editions`), or the named ones: `EDITIONS=valkey9`.
 */
export const otherEditions = wanted.includes('all')
  ? unpacked
  : wanted.length > 0
    ? unpacked.filter((edition) => wanted.includes(edition))
    : unpacked.slice(0, 1);

/** Sentinels of Valkey 9 know coordinated failovers. `npm test` unpacks it where it can. */
export const hasValkey9 = unpacked.includes('valkey9');
