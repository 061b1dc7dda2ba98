import { isDeepStrictEqual } from 'node:util';
import { SwitchmasterError } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';
import type { KeptEntry } from '../telemetry/journal.ts';
import { parseEntry } from '../telemetry/journal-file.ts';
import type { Situation } from './plan/decision.ts';
import { decide } from './plan/failover.ts';

/** A file of the journal has some 16 MiB. */
const maxBytes = 256 * 1024 * 1024;

/** One decision of a journal's file, made again where the journal has everything that it was made from. */
export type Replayed = { readonly at: string; readonly summary: string } & (
  | { readonly verdict: 'same' | 'different'; readonly recorded: unknown; readonly decided: unknown }
  | { readonly verdict: 'not-replayed'; readonly why: string }
);

/** Makes every decision about a master in a journal's file again, oldest first. Throws `not-found`. */
export async function replayJournal(file: string, wanted: { readonly name: string }): Promise<readonly Replayed[]> {
  let text: string;
  try {
    text = await readRegularFile(file, { maxBytes });
  } catch (cause) {
    throw new SwitchmasterError('not-found', `cannot read the journal ${file}`, { cause });
  }
  const entries = text.split('\n').flatMap((line) => parseEntry(line) ?? []);
  return entries.filter(({ loop, key }) => loop === 'bridge' && key === wanted.name).flatMap(replayEntry);
}

function replayEntry({ at, summary, replay }: KeptEntry): readonly Replayed[] {
  if (replay === undefined) return [];
  if ('cut' in replay) return [{ at, summary, verdict: 'not-replayed', why: replay.cut }];
  if (typeof replay.situation !== 'object' || replay.situation === null) return [];
  const decided = decideAgain(replay.situation as Situation);
  const verdict = isDeepStrictEqual(decided, replay.decision) ? 'same' : 'different';
  return [{ at, summary, recorded: replay.decision, decided, verdict }];
}

/** The decision in its JSON form. The file may hold anything, so the decision may throw. */
function decideAgain(situation: Situation): unknown {
  try {
    return JSON.parse(JSON.stringify(decide(situation)));
  } catch (thrown) {
    return { kind: 'impossible', why: SwitchmasterError.from(thrown).message };
  }
}
