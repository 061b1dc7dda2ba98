import { stat } from 'node:fs/promises';
import { SwitchmasterError } from '../../errors.ts';
import { readRegularFile } from '../../regular-file.ts';
import { type ProcessState, processState } from './process-file.ts';

const reasons: Readonly<Record<Exclude<ProcessState, 'running'>, string>> = {
  gone: 'there is no such process; start the consumer, or correct pidFile',
  zombie: 'it has ended; restart the consumer',
  newer: 'it started after the file was written, so it is another program; restart the consumer, or remove the file',
};

/** Signals the process whose id is in a file. Throws `reload-failed` when that process does not run any more. */
export async function signalPidFile(pidFile: string, signal: NodeJS.Signals): Promise<void> {
  const { pid, writtenMs } = await readPidFile(pidFile);
  const refuse = (reason: string, cause?: unknown) =>
    new SwitchmasterError('reload-failed', `${signal} cannot be sent to process ${pid} of ${pidFile}: ${reason}.`, {
      cause,
    });
  if (pid === process.pid) throw refuse('it is switchmaster itself; restart the consumer, or remove the file');
  const state = await processState(pid, writtenMs);
  if (state !== 'running') throw refuse(reasons[state]);
  try {
    process.kill(pid, signal);
  } catch (cause) {
    throw refuse((cause as NodeJS.ErrnoException).code === 'ESRCH' ? reasons.gone : 'not permitted', cause);
  }
}

async function readPidFile(pidFile: string): Promise<{ readonly pid: number; readonly writtenMs: number }> {
  const [text, { mtimeMs }] = await Promise.all([readRegularFile(pidFile), stat(pidFile)]).catch((cause: Error) => {
    const reason = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : cause.message;
    throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} cannot be read: ${reason}`, { cause });
  });
  const pid = Number(text.trim().split('\n')[0]);
  if (Number.isSafeInteger(pid) && pid >= 2) return { pid, writtenMs: mtimeMs };
  throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} holds no process id.`);
}
