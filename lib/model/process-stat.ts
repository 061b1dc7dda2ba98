/** What the kernel says of a process (proc(5), /proc/PID/stat). A number that is missing is NaN. */
export interface ProcessStat {
  /** `Z` and `X`: it has ended. */
  readonly state: string;
  readonly parent: number;
  /** The processor time of all its threads, for itself and in the kernel. */
  readonly cpuTicks: number;
  /** When it started, in ticks since the boot. */
  readonly startedTicks: number;
}

export function parseProcessStat(text: string): ProcessStat {
  // The name, in parentheses, may hold spaces and parentheses. The first field after it is the third of proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const at = (field: number) => Number(fields[field - 3]);
  return { state: fields[0] ?? '', parent: at(4), cpuTicks: at(14) + at(15), startedTicks: at(22) };
}

export function hasEnded({ state }: ProcessStat): boolean {
  return state === 'Z' || state === 'X';
}
