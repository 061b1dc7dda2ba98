import { type BigIntStats, constants, fstatSync, readlinkSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { withinDeadline } from './file-system.ts';
import { isLocal } from './mounts.ts';

const defaultMaxBytes = 1024 * 1024;

interface ReadOptions {
  readonly maxBytes?: number;
  readonly accept?: (stats: Stats, real: string) => string | undefined;
}

/**
 * The bytes of a regular file. A pipe, a device and a folder are an error, and so is a file that is larger than
 * `maxBytes` (default 1 MiB) or a file system that does not answer within 2 s: none of them may hold the daemon up. With
 * `accept`, a symbolic link is an error too, and so is a file for which `accept` returns the reason to refuse it. `real` is where
 * the opened file is: a folder on the way may have been replaced by a link.
 *
 * @throws the error of the system call, or one that says what the path is
 */
export function readRegularBytes(path: string, options: ReadOptions = {}): Promise<Buffer> {
  return withinDeadline(path, () => readNow(path, options));
}

/** The same as a text, with U+FFFD in place of what is not UTF-8. */
export async function readRegularFile(path: string, options: ReadOptions = {}): Promise<string> {
  return (await readRegularBytes(path, options)).toString('utf8');
}

/** Why a text that was saved in another encoding is refused. */
export const notUtf8 = 'it is not UTF-8 text; save it as UTF-8';

/** The same, for a caller that is within a call of file-system.ts already. */
export async function readNow(path: string, options: ReadOptions = {}): Promise<Buffer> {
  try {
    return await readOnce(path, options);
  } catch (thrown) {
    if (!(thrown instanceof ReplacedFile)) throw thrown;
    return await readOnce(path, options);
  }
}

/** A file that is refused, and that another one has replaced since it was opened: the kernel no longer knows where it was. */
class ReplacedFile extends Error {}

async function readOnce(path: string, { maxBytes = defaultMaxBytes, accept }: ReadOptions): Promise<Buffer> {
  const links = accept === undefined ? 0 : constants.O_NOFOLLOW;
  // O_NONBLOCK: to open a pipe that nobody writes to would wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | links);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new Error('it is a folder');
    if (!stats.isFile()) throw new Error('it is a pipe or a device, not a file');
    const reason = accept?.(stats, realPath(handle) ?? path);
    if (reason !== undefined) throw new ((await handle.stat()).nlink === 0 ? ReplacedFile : Error)(reason);
    return await readOpened(handle, { size: stats.size, maxBytes });
  } finally {
    await handle.close();
  }
}

/**
 * What is known of an open file. The event loop itself asks a file system that does not hang: see {@link isLocal}. The path by which
 * the file was opened may lead elsewhere through links, so the kernel is asked where it is.
 */
export async function statOpened(handle: FileHandle): Promise<Stats> {
  return isOpenedLocally(handle) ? fstatSync(handle.fd) : handle.stat();
}

/** The same to the nanosecond, where the event loop may ask; undefined elsewhere. */
export function stampOpened(handle: FileHandle): BigIntStats | undefined {
  return isOpenedLocally(handle) ? fstatSync(handle.fd, { bigint: true }) : undefined;
}

function isOpenedLocally(handle: FileHandle): boolean {
  const real = realPath(handle);
  return real?.startsWith('/') === true && isLocal(real);
}

/** As /proc shows it: a path, or such as `pipe:[123]`. undefined without /proc. */
function realPath({ fd }: FileHandle): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

/**
 * The rest of an open file that had `size` bytes. Files of /proc have no size and may have no end, and a file may grow while it is
 * read: one with more than `maxBytes` is an error. A read that ends with the last of these bytes was the last.
 */
export async function readOpened(
  handle: FileHandle,
  { size, maxBytes }: { readonly size: number; readonly maxBytes: number },
): Promise<Buffer> {
  if (size > maxBytes) throw tooLarge(maxBytes);
  let bytes = Buffer.allocUnsafeSlow(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
    length += bytesRead;
    const isWhole = length === size && length > 0 && bytesRead < bytes.length;
    if (bytesRead === 0 || isWhole) return bytes.subarray(0, length);
    if (length > maxBytes) throw tooLarge(maxBytes);
    if (length < bytes.length) continue;
    const larger = Buffer.allocUnsafeSlow(Math.min(2 * Math.max(bytes.length, 4096), maxBytes + 1));
    bytes.copy(larger);
    bytes = larger;
  }
}

function tooLarge(maxBytes: number): Error {
  return new Error(`it is larger than ${maxBytes} bytes`);
}
