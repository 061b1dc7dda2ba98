import { constants, type Stats } from 'node:fs';
import { open } from 'node:fs/promises';

/** How long a file system may take. One that hangs, such as a network mount without its server, never answers. */
const timeoutMs = 2_000;

const defaultMaxBytes = 1024 * 1024;

/** Reads that did not come back. A further read of the same path would occupy another thread. */
const pending = new Map<string, Promise<string>>();

interface ReadOptions {
  readonly maxBytes?: number;
  readonly accept?: (stats: Stats) => string | undefined;
}

/**
 * The UTF-8 text of a regular file. A pipe, a device and a folder are an error, and so is a file that is larger than
 * `maxBytes` (default 1 MiB) or a file system that does not answer within 2 s: none of them may hold the daemon up. With
 * `accept`, a symbolic link is an error too, and so is a file for which `accept` returns the reason to refuse it.
 *
 * @throws the error of the system call, or one that says what the path is
 */
export async function readRegularFile(path: string, options: ReadOptions = {}): Promise<string> {
  const reading = pending.get(path) ?? read(path, options);
  try {
    return await withinDeadline(reading);
  } catch (thrown) {
    pending.set(path, reading);
    const forget = (): boolean => pending.delete(path);
    reading.then(forget, forget);
    throw thrown;
  }
}

/** Throws `ETIMEDOUT` if a file system does not answer within 2 s. The call itself continues, and occupies its thread. */
export async function withinDeadline<T>(call: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(lateError()), timeoutMs);
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

function lateError(): Error {
  return Object.assign(new Error(`the file system does not answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' });
}

async function read(path: string, { maxBytes = defaultMaxBytes, accept }: ReadOptions): Promise<string> {
  const links = accept === undefined ? 0 : constants.O_NOFOLLOW;
  // O_NONBLOCK: to open a pipe that nobody writes to would wait for a writer.
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY | links);
  try {
    const stats = await handle.stat();
    if (stats.isDirectory()) throw new Error('it is a folder');
    if (!stats.isFile()) throw new Error('it is a pipe or a device, not a file');
    if (stats.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    const reason = accept?.(stats);
    if (reason !== undefined) throw new Error(reason);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}
