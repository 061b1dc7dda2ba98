import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import { withinDeadline } from './file-system.ts';
import { followForReading } from './links.ts';
import { readNow } from './regular-file.ts';

interface FollowOptions {
  readonly maxBytes?: number;
  /** Returns the reason to refuse a file that was opened. `real` is where it is. */
  readonly accept?: (stats: Stats, real: string) => string | undefined;
}

/**
 * As `readRegularBytes`, for a path that may lead through a folder of somebody else: a link of another user leads only to files of
 * the same user. Otherwise that user could have any file printed, or sent as a password.
 */
export function readFollowedBytes(path: string, options: FollowOptions = {}): Promise<Buffer> {
  return withinDeadline(path, () => readFollowedNow(path, options));
}

async function readFollowedNow(path: string, options: FollowOptions): Promise<Buffer> {
  try {
    return await readOnce(path, options);
  } catch (thrown) {
    // Secret stores replace the folder that a link leads to: it may go while the links are followed.
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    return await readOnce(path, options);
  }
}

async function readOnce(path: string, { maxBytes, accept }: FollowOptions): Promise<Buffer> {
  const { target, refuse } = await followForReading(resolve(path));
  return readNow(target, {
    ...(maxBytes === undefined ? {} : { maxBytes }),
    accept: (stats, real) => refuse(stats, real) ?? accept?.(stats, real),
  });
}
