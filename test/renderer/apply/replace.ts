import { swapIn, writeCandidate } from '../../../lib/renderer/apply/candidate.ts';
import { readDestination } from '../../../lib/renderer/apply/file.ts';

/** Replaces a file as a run does, without a check. */
export async function replace(destination: string, text: string, ownership = {}): Promise<void> {
  const present = await readDestination(destination);
  const bytes = Buffer.from(text);
  await swapIn(await writeCandidate({ destination, bytes, ownership, present, signal: new AbortController().signal }));
}
