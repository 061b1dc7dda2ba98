/** A command as a list of words; `sh -c` where it needs a shell. Undefined if it is empty. */
export function toArgv(command: string): readonly string[] | undefined {
  if (command.trim() === '') return undefined;
  const words = command.trim().split(/\s+/);
  return /^[\w@%+=:,./ -]+$/.test(command.trim()) && !/^\w+=/.test(words[0] ?? '') ? words : ['sh', '-c', command];
}
