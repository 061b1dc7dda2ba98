import { readFileSync } from 'node:fs';

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
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in parentheses, may hold spaces and parentheses. Fields 14 and 15 of proc(5), the first after it being 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = Number(fields[11]) + Number(fields[12]);
    return Number.isNaN(ticks) ? undefined : ticks * tickMs;
  } catch {
    return undefined;
  }
}
