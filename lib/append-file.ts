import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { anchored, followLinks, requireOwnName } from './links.ts';

/*
 * Files that grow by lines. The functions run within one call of file-system.ts: they make one system call after the other.
 */

/** As for `a`. O_NONBLOCK: to open a pipe that nobody reads would wait for a reader. */
const appendFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const readFlags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** Some of the text may be in the file. */
export class PartialWrite extends Error {}

/**
 * Appends lines to a file, creates it with its folders where it is missing, and returns its size then. Follows links as
 * {@link followLinks} does. Where it fails, the file is as before, or it throws a {@link PartialWrite}.
 */
export async function appendLines(path: string, text: string): Promise<number> {
  const target = await followLinks(path);
  await mkdir(dirname(target), { recursive: true, mode: 0o750 });
  return anchored(target, (file) => append({ file, target, text }));
}

interface Append {
  /** The path of the target within {@link anchored}. */
  readonly file: string;
  readonly target: string;
  readonly text: string;
}

async function append({ file, target, text }: Append): Promise<number> {
  const handle = await open(file, appendFlags, 0o640);
  try {
    const info = await handle.stat();
    await requireOwnName(target, { file, info });
    const { size } = info;
    // After a crash the last line may be cut.
    const torn = size > 0 && (await endsTorn(file, size));
    await handle.appendFile(torn ? `\n${text}` : text).catch((thrown: Error) => undo(handle, { size, thrown }));
    return size + text.length;
  } finally {
    await handle.close();
  }
}

/** A disk that is full takes a part. */
async function undo(
  handle: FileHandle,
  { size, thrown }: { readonly size: number; readonly thrown: Error },
): Promise<never> {
  await handle.truncate(size).catch(() => {
    throw new PartialWrite(thrown.message, { cause: thrown });
  });
  throw thrown;
}

async function endsTorn(file: string, size: number): Promise<boolean> {
  const handle = await open(file, readFlags);
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] !== 0x0a;
  } finally {
    await handle.close();
  }
}
