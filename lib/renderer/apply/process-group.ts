/** The daemon's own secrets. Programs that it starts do not need them, and their output is shown. */
const secretVariables = [
  'CONSUL_HTTP_AUTH',
  'CONSUL_HTTP_TOKEN',
  'SWITCHMASTER_API_TOKEN',
  'SWITCHMASTER_REDIS_PASSWORD',
  'SWITCHMASTER_SENTINEL_PASSWORD',
];

/** The daemon's environment without its secrets, for programs that it starts. */
export function programEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of secretVariables) delete environment[name];
  return environment;
}

/** Signals a process group by its leader. Does nothing when the group is empty. */
export function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // The group is empty.
  }
}

const bound = new Set<number>();

/**
 * Kills the group if the daemon exits without having ended it, for example at a second SIGTERM. Returns a function that
 * takes this back.
 */
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
