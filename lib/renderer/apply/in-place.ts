import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type Candidate, discardCandidate, swapIn } from './file.ts';
import { unwritable } from './unwritable.ts';

/**
 * Overwrites the destination, for a file that no other can replace: a single file mounted into a container. A reader may
 * see the old and the new text mixed for a moment. A crash in between leaves a text that the next start writes again.
 */
export async function overwrite(candidate: Candidate, bytes: Buffer): Promise<void> {
  const { destination } = candidate;
  let handle: FileHandle;
  try {
    handle = await open(destination, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    // Nothing is mounted there.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return swapIn(candidate);
    await discardCandidate(candidate);
    throw unwritable(destination, 'be opened for writing', thrown);
  }
  try {
    await handle.write(bytes, 0, bytes.length, 0);
    await handle.truncate(bytes.length);
    await handle.sync();
  } catch (thrown) {
    throw unwritable(destination, 'be written', thrown);
  } finally {
    await handle.close().catch(() => undefined);
    await discardCandidate(candidate);
  }
}
