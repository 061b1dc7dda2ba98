/** What the check of an instance says of a state that each change of master causes for a while. */
export const masterChangeOutputs = {
  masterTooEarly: 'answers as a master, but the record has it as a replica',
  replicaTooEarly: 'answers as a replica, but the record has it as a master',
  synchronizing: 'is being synchronized with its master',
  linkDown: 'the link to its master is down',
} as const;

const outputs: ReadonlySet<string> = new Set(Object.values(masterChangeOutputs));

/** By its text: after a restart of the daemon, Consul's agent has nothing else. */
export function isOfMasterChange({ status, output }: { readonly status: string; readonly output: string }): boolean {
  return status === 'warning' && outputs.has(output);
}
