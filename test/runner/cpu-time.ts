import { readFileSync } from 'node:fs';

const msPerTick = 10;

/**
 * CPU time of all children of this process that have ended and were waited for, and of theirs, user and system. Node has no
 * getrusage(RUSAGE_CHILDREN), so this reads cutime and cstime of /proc/self/stat (proc_pid_stat(5)); 0 where there is no
 * /proc.
 */
export function childrenCpuMs(): number {
  let stat: string;
  try {
    stat = readFileSync('/proc/self/stat', 'utf8');
  } catch {
    return 0;
  }
  // The fields after the program's name, which stands in parentheses: cutime is the 16th of all, cstime the 17th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) * msPerTick;
}
