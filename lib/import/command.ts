/** A command as a list of words; `sh -c` where it needs a shell. */
export function toArgv(command: string): readonly string[] {
  const words = command.trim().split(/\s+/);
  return /^[\w@%+=:,./ -]+$/.test(command.trim()) && !/^\w+=/.test(words[0] ?? '') ? words : ['sh', '-c', command];
}
