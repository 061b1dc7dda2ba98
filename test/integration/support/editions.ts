import { existsSync } from 'node:fs';
import { join } from 'node:path';

export type OtherEdition = 'valkey' | 'redis8';

const tools = join(import.meta.dirname, '../../../.tools/bin');
const known: readonly OtherEdition[] = ['valkey', 'redis8'];
const unpacked = known.filter((edition) => existsSync(join(tools, `${edition}-server`)));

/**
 * Editions beside the machine's own Redis: the first that is unpacked, to save time, or all of them with `EDITIONS=all`
 * (`npm run test:editions`).
 */
export const otherEditions = process.env.EDITIONS === 'all' ? unpacked : unpacked.slice(0, 1);
