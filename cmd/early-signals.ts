/*
 * Signals that arrive before the daemon handles them, while its modules load or its config waits for a file: the default would
 * end the process (HUP) or open Node's debugger (USR1).
 */

const held = new Set<NodeJS.Signals>();
const hold = (signal: NodeJS.Signals): void => void held.add(signal);
const signals = ['SIGHUP', 'SIGUSR1'] as const;

/** Holds these signals until {@link takeHeldSignals}. May be called more than once. */
export function holdSignals(): void {
  for (const signal of signals) if (!process.listeners(signal).includes(hold)) process.on(signal, hold);
}

/** Stops holding signals and returns those that came. Call it after other listeners are added. */
export function takeHeldSignals(): ReadonlySet<NodeJS.Signals> {
  for (const signal of signals) process.off(signal, hold);
  const came = new Set(held);
  held.clear();
  return came;
}
