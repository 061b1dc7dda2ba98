import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from './outcome.ts';
import type { Recording } from './replay.ts';

export interface Recorded {
  /** Of consul-template. */
  readonly version: string;
  /** When it was recorded, as in RFC 3339. */
  readonly at: string;
  /** What consul-template made of each source. */
  readonly results: Readonly<Record<string, Outcome>>;
  readonly answers: Readonly<Recording>;
}

export const recordedPath = join(import.meta.dirname, 'recorded.json');

export function readRecorded(): Recorded {
  return JSON.parse(readFileSync(recordedPath, 'utf8')) as Recorded;
}
