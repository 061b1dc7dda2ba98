import { readFileSync } from 'node:fs';
import { parseProcessStat } from '../../model/process-stat.ts';

/** What a process may take: processor time, and much more time by the clock, which a busy machine needs. */
export interface ProcessLimit {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** Linux has a hundred ticks a second for programs, whatever the kernel's own rate is (proc(5), `USER_HZ`). */
const tickMs = 10;
const leastPauseMs = 20;

/**
 * Calls `onReached` once the process has taken more than its limit since now. Returns how to end that. Without /proc, the
 * clock counts as processor time.
 */
export function limitProcess(input: {
  readonly pid: number;
  readonly limit: ProcessLimit;
  readonly onReached: () => void;
}): () => void {
  const { pid, limit, onReached } = input;
  const startMs = performance.now();
  const beforeMs = cpuTimeMs(pid);
  let timer = setTimeout(check, limit.cpuMs);
  function check(): void {
    const passedMs = performance.now() - startMs;
    const usedMs = (cpuTimeMs(pid) ?? Number.NaN) - (beforeMs ?? Number.NaN);
    const leftMs = Math.min(limit.cpuMs - usedMs, limit.wallMs - passedMs);
    if (leftMs > 0) timer = setTimeout(check, Math.max(leftMs, leastPauseMs));
    else onReached();
  }
  return () => clearTimeout(timer);
}

/** The processor time that a process has taken, with all of its threads; undefined where the system does not say. */
export function cpuTimeMs(pid: number): number | undefined {
  try {
    const { cpuTicks } = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return Number.isNaN(cpuTicks) ? undefined : cpuTicks * tickMs;
  } catch {
    return undefined;
  }
}
