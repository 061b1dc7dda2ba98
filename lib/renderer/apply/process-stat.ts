import { type ProcessStat, parseProcessStat } from '../../model/process-stat.ts';
import { readRegularFile } from '../../regular-file.ts';

/** undefined where there is no such process, and without /proc. */
export async function readProcessStat(pid: number): Promise<ProcessStat | undefined> {
  const text = await readRegularFile(`/proc/${pid}/stat`).catch(() => undefined);
  return text === undefined ? undefined : parseProcessStat(text);
}
