import { readFile } from 'node:fs/promises';
import { SwitchmasterError } from '../../errors.ts';

/** Signals the process whose id is in a file. Throws `reload-failed` when there is no such process. */
export async function signalPidFile(pidFile: string, signal: NodeJS.Signals): Promise<void> {
  const text = await readFile(pidFile, 'utf8').catch((cause: Error) => {
    throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} cannot be read: ${cause.message}`, { cause });
  });
  const pid = Number(text.trim().split('\n')[0]);
  if (!Number.isSafeInteger(pid) || pid < 2) {
    throw new SwitchmasterError('reload-failed', `The pid file ${pidFile} holds no process id.`);
  }
  try {
    process.kill(pid, signal);
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code === 'ESRCH' ? 'there is no such process' : 'not permitted';
    const message = `${signal} cannot be sent to process ${pid} of ${pidFile}: ${reason}.`;
    throw new SwitchmasterError('reload-failed', message, { cause });
  }
}
