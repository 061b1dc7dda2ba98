import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import { followLinks, isTrustedOwner } from '../../links.ts';
import { readRegularFile } from '../../regular-file.ts';
import { type ProcessState, processState } from './process-file.ts';

const reasons: Readonly<Record<Exclude<ProcessState, 'running'>, string>> = {
  gone: 'there is no such process; start the consumer, or correct pidFile',
  zombie: 'it has ended; restart the consumer',
  newer: 'it started after the file was written, so it is another program; restart the consumer, or remove the file',
};

/**
 * Signals the process whose id is in a file. A pid file of another user may name only a process of that user. Throws
 * `reload-failed` when that process does not run any more.
 */
export async function signalPidFile(pidFile: string, signal: NodeJS.Signals): Promise<void> {
  const { pid, writtenMs, owner } = await readPidFile(pidFile);
  const refuse = (reason: string, cause?: unknown) =>
    new SwitchmasterError('reload-failed', `${signal} cannot be sent to process ${pid} of ${pidFile}: ${reason}.`, {
      cause,
    });
  if (pid === process.pid) throw refuse('it is switchmaster itself; restart the consumer, or remove the file');
  const state = await processState(pid, writtenMs);
  if (state !== 'running') throw refuse(reasons[state]);
  const user = isTrustedOwner(owner) ? owner : (await stat(`/proc/${pid}`).catch(() => undefined))?.uid;
  if (user !== undefined && user !== owner) {
    throw refuse(`it is of user ${user}, and the file of user ${owner}; give the file to root, or correct pidFile`);
  }
  try {
    process.kill(pid, signal);
  } catch (cause) {
    throw refuse((cause as NodeJS.ErrnoException).code === 'ESRCH' ? reasons.gone : 'not permitted', cause);
  }
}

interface PidFile {
  readonly pid: number;
  readonly writtenMs: number;
  readonly owner: number;
}

async function readPidFile(pidFile: string): Promise<PidFile> {
  let written = { mtimeMs: 0, uid: 0 };
  const accept = (stats: Stats): undefined => {
    written = stats;
  };
  const following = withinDeadline(pidFile, () => followLinks(pidFile));
  const reading = following.then((path) => readRegularFile(path, { accept }));
  const text = await reading.catch((cause: Error) => {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} cannot be read: ${reason}`, { cause });
  });
  const pid = Number(text.trim().split('\n')[0]);
  if (Number.isSafeInteger(pid) && pid >= 2) return { pid, writtenMs: written.mtimeMs, owner: written.uid };
  throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} holds no process id.`);
}
