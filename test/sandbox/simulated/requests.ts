import type { Socket } from 'node:net';
import { ErrorReply, encodeReply } from '../../../lib/endpoint/resp/reply.ts';
import { ProtocolError, RequestParser } from '../../../lib/endpoint/resp/request-parser.ts';

/** Those of Sentinels and bridges are far smaller. */
const limits = { lineBytes: 65_536, bulkBytes: 1_048_576, commandBytes: 1_048_576, arguments: 1_024 };

/**
 * Calls `answer` with the requests that are complete with a chunk, each a list of words. Something else, such as the beginning of
 * TLS by which a bridge finds out what a silent server speaks, ends the connection with an error, as in Redis.
 */
export function readRequests(socket: Socket, answer: (requests: readonly (readonly string[])[]) => void): void {
  const parser = new RequestParser(() => limits);
  socket.on('data', (chunk) => {
    parser.push(chunk);
    const requests: (readonly string[])[] = [];
    try {
      for (let words = parser.next(); words !== undefined; words = parser.next()) requests.push(words);
    } catch (thrown) {
      if (!(thrown instanceof ProtocolError)) throw thrown;
      socket.end(encodeReply(new ErrorReply(`ERR Protocol error: ${thrown.message}`), 2));
      return;
    }
    if (requests.length > 0) answer(requests);
  });
}
