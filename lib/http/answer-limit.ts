import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';

/**
 * Closes the connection of an answer whose client does not read it for `timeoutMs`. Ends with the answer: then Node sets the time of
 * an idle connection, or the next request of the connection is in work, which may take longer.
 */
export function limitAnswer(answer: ServerResponse, timeoutMs: number): void {
  const begin = (socket: unknown) => {
    // A request that was injected has no connection.
    if (socket instanceof Socket) socket.setTimeout(timeoutMs);
  };
  // It has none either while the answers of earlier requests of the same connection are not sent.
  if (answer.socket === null) answer.once('socket', begin);
  else begin(answer.socket);
  // Node's own listener gives the connection to the next answer.
  answer.prependOnceListener('finish', () => {
    const { socket } = answer;
    if (socket instanceof Socket) socket.setTimeout(0);
  });
}
