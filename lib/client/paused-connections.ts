import type { Agent } from 'node:http';

/**
 * Pauses the connections of `agent` that have a request under way: what arrives on them is parsed only after the returned
 * function was called.
 */
export function pauseConnections(agent: Agent): () => void {
  const sockets = Object.values(agent.sockets).flatMap((list) => list ?? []);
  for (const socket of sockets) socket.pause();
  return () => {
    for (const socket of sockets) socket.resume();
  };
}
