import { readFileSync, writeFileSync } from 'node:fs';

/** User and system time in milliseconds; Linux counts in hundredths of a second. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Resident memory in MiB: now, and the most since the last `resetPeak`. */
export function residentMib(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1_024;
  return { now: read('VmRSS'), peak: read('VmHWM') };
}

/** How often the main thread stopped waiting since the start: `voluntary_ctxt_switches`. */
export function wakeUps(pid: number): number {
  const status = readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8');
  const count = /^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1];
  if (count === undefined) throw new Error('this kernel does not count context switches (voluntary_ctxt_switches)');
  return Number(count);
}

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}
