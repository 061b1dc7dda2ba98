import { askSocket } from './socket.ts';

/** What HAProxy's master says of its reloads. */
export type Reloads = { done: number; failed: number };

/**
 * Sends a command to the master process over its command line socket (`haproxy -S`). An answer also means that it handles
 * signals: a SIGUSR2 in the milliseconds around its own start, when its listeners already accept, is lost.
 */
export async function readReloads(socketPath: string): Promise<Reloads> {
  const text = await askSocket({ path: socketPath }, 'show proc;quit');
  const match = /^\d+\s+master\s+(\d+)(?:\s+\[failed: (\d+)\])?/m.exec(text);
  if (match === null) throw new Error(`HAProxy's master answered ${JSON.stringify(text)}`);
  return { done: Number(match[1]), failed: Number(match[2] ?? 0) };
}
