/** The daemon's own secrets: programs that it starts have no business with them, and what a program writes is shown. */
const secretVariables = [
  'CONSUL_HTTP_TOKEN',
  'SWITCHMASTER_API_TOKEN',
  'SWITCHMASTER_REDIS_PASSWORD',
  'SWITCHMASTER_SENTINEL_PASSWORD',
];

/** The daemon's environment as the programs that it starts have it. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of secretVariables) delete environment[name];
  return environment;
}

/** Signals a process that leads a group of its own with everything that it started; nothing where nobody is left. */
export function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // Nobody is left in the group.
  }
}

const bound = new Set<number>();

/** Kills the group should the daemon exit without having ended it: at a second SIGTERM, say. Answers what undoes that. */
export function bindGroup(leader: number): () => void {
  if (bound.size === 0) process.on('exit', killBound);
  bound.add(leader);
  return () => {
    if (bound.delete(leader) && bound.size === 0) process.off('exit', killBound);
  };
}

function killBound(): void {
  for (const leader of bound) signalGroup(leader, 'SIGKILL');
}
