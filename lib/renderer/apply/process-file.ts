import { hasEnded } from '../../model/process-stat.ts';
import { readRegularFile } from '../../regular-file.ts';
import { readProcessStat } from './process-stat.ts';

/*
 * Whether a process id in a file or in a file's name is still valid: the process may be gone, and another one may have its
 * id.
 */

/** `newer`: it started after the file was written, so that it is another process. `zombie`: it has ended. */
export type ProcessState = 'running' | 'newer' | 'zombie' | 'gone';

/** The clock of the kernel counts in ticks since the boot, whose time it gives in whole seconds. */
const toleranceMs = 3_000;

/** Linux has a hundred ticks a second for programs, whatever the kernel's own rate is (proc(5), `USER_HZ`). */
const ticksPerSecond = 100;

/** The state of the process `pid` for a file that was written at `writtenMs`, milliseconds since 1970. */
export async function processState(pid: number, writtenMs: number): Promise<ProcessState> {
  if (!isRunning(pid)) return 'gone';
  const [stat, system] = await Promise.all([readProcessStat(pid), readRegularFile('/proc/stat').catch(() => '')]);
  // Without /proc the id alone counts.
  if (stat === undefined) return 'running';
  if (hasEnded(stat)) return 'zombie';
  const bootSeconds = Number(/^btime (\d+)$/m.exec(system)?.[1]);
  const startedMs = (bootSeconds + stat.startedTicks / ticksPerSecond) * 1_000;
  // A comparison with NaN is false.
  return startedMs > writtenMs + toleranceMs ? 'newer' : 'running';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
