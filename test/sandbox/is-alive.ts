import { readFileSync } from 'node:fs';
import { hasEnded, parseProcessStat } from '../../lib/model/process-stat.ts';

/** False also for a process that has ended and that its parent has not reaped yet. */
export function isAlive(pid: number): boolean {
  try {
    return !hasEnded(parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8')));
  } catch {
    return false;
  }
}
