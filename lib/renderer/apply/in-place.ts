import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { withinDeadline, writeTimeoutMs } from '../../file-system.ts';
import { anchored, requireOwnName } from '../../links.ts';
import { type Candidate, discardCandidate, swapIn } from './candidate.ts';
import { unwritable } from './unwritable.ts';

/**
 * Overwrites the destination, for a file that no other can replace: a single file mounted into a container. A reader may
 * see the old and the new text mixed for a moment. A crash in between leaves a text that the next start writes again.
 */
export async function overwrite(candidate: Candidate, bytes: Buffer): Promise<void> {
  const { destination } = candidate;
  try {
    await withinDeadline(destination, () => write(destination, bytes), { timeoutMs: writeTimeoutMs });
  } catch (thrown) {
    // Nothing is mounted there.
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return await swapIn(candidate);
    throw unwritable(destination, 'be written', thrown);
  } finally {
    await discardCandidate(candidate);
  }
}

async function write(destination: string, bytes: Buffer): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  await anchored(destination, async (file) => {
    const handle = await open(file, flags);
    try {
      await requireOwnName(destination, { file, info: await handle.stat() });
      await fill(handle, bytes);
    } finally {
      await handle.close().catch(() => undefined);
    }
  });
}

async function fill(handle: FileHandle, bytes: Buffer): Promise<void> {
  // Unlike one `write`, until all bytes are written.
  await handle.writeFile(bytes);
  await handle.truncate(bytes.length);
  await handle.sync();
}
