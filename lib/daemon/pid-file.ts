import { access, constants, lstat, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SwitchmasterError } from '../errors.ts';
import { withinDeadline } from '../file-system.ts';
import { anchored, followLinks } from '../links.ts';
import { readNow } from '../regular-file.ts';
import { replaceByText } from '../replaced-file.ts';
import type { Log } from '../telemetry/log.ts';

/* The daemon's process id in a file, for programs that signal it. No failure here stops the daemon. */

/** Only a process id is replaced: the path may be a mistake. */
const processId = /^\s*\d*\s*$/;
/** No process id is longer. */
const maxBytes = 32;

/** The daemon works without the file. */
export async function keepPidFile(path: string | undefined, log: Pick<Log, 'error'>): Promise<void> {
  if (path === undefined) return;
  await writePidFile(path).catch((error) => log.error({ error }, 'pid file not written'));
}

/** Writes this process's id. Throws `file-unwritable`. */
export async function writePidFile(path: string): Promise<void> {
  try {
    await withinDeadline(path, () => write(path));
  } catch (thrown) {
    throw unwritable(path, thrown);
  }
}

async function write(path: string): Promise<void> {
  const { pid } = process;
  // Two daemons may start at the same time, and FILE.new may be somebody else's.
  await anchored(await findTarget(path), (file) =>
    replaceByText({ file, candidate: `${file}.${pid}.new`, text: `${pid}\n`, mode: 0o644 }),
  );
}

/** Removes the file, unless another process has written its id meanwhile. */
export async function removePidFile(path: string): Promise<void> {
  await withinDeadline(path, () => remove(path)).catch(() => undefined);
}

async function remove(path: string): Promise<void> {
  const target = await followLinks(path).catch(() => undefined);
  if (target === undefined) return;
  await anchored(target, async (file) => {
    if ((await readNow(file, { maxBytes })).toString().trim() === String(process.pid)) await unlink(file);
  }).catch(() => undefined);
}

/** Why the file could not be written now, as a sentence; undefined where it could. */
export async function examinePidFile(path: string): Promise<string | undefined> {
  try {
    await withinDeadline(path, async () => {
      const folder = dirname(await findTarget(path));
      await stat(folder);
      await access(folder, constants.W_OK | constants.X_OK);
    });
    return undefined;
  } catch (thrown) {
    return unwritable(path, thrown).message;
  }
}

/** The file behind a link, if it contains nothing but a process id. */
async function findTarget(path: string): Promise<string> {
  const target = await followLinks(path);
  const info = await lstat(target).catch(() => undefined);
  if (info === undefined) return target;
  if (!info.isFile()) throw refusal(path, 'it is no regular file; name another one');
  const text = info.size > maxBytes ? '-' : await readText(path, target);
  if (!processId.test(text))
    throw refusal(path, 'it holds something else than a process id; remove it, or name another file');
  return target;
}

/** Empty where the file was removed meanwhile. */
async function readText(path: string, target: string): Promise<string> {
  try {
    return (await readNow(target, { maxBytes })).toString();
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    const reason = `what it holds cannot be read (${message}); let the daemon read it, remove it, or name another file`;
    throw refusal(path, reason, thrown);
  }
}

function unwritable(path: string, thrown: unknown): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT') return refusal(path, 'its folder does not exist; create it', thrown);
  if (code === 'EACCES') return refusal(path, 'permission denied; let the daemon write to its folder', thrown);
  return refusal(path, message, thrown);
}

function refusal(path: string, reason: string, cause?: unknown): SwitchmasterError {
  const message = `The pid file ${path} cannot be written: ${reason}.`;
  return new SwitchmasterError('file-unwritable', message, { cause, details: { path } });
}
