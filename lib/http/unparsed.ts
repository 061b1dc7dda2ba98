import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode } from '../errors.ts';
import { securityHeaders } from './failure.ts';

/*
 * Answers to what Node itself refuses, which never reaches a route.
 */

interface RawSocket {
  readonly writable: boolean;
  readonly destroyed: boolean;
  readonly bytesWritten: number;
  end(text: string): void;
  destroy(): void;
  once(event: 'close', listener: () => void): void;
}

/** How long a client may read the answer and close. To close at once, while it still sends, would take the answer from it. */
const lingerMs = 1_000;

/** Answers a request that is not HTTP, or that its client does not finish. */
export function answerUnparsed(error: Error & { code?: string; rawPacket?: unknown }, socket: RawSocket): void {
  const closed = error.code === 'ECONNRESET' || socket.destroyed || !socket.writable;
  // A client would take a second answer for a part of the first.
  if (closed || socket.bytesWritten > 0) return void socket.destroy();
  const { status, code, message } = refusalOf(error.code);
  const body = toBody(code, message);
  const headers = { ...headersOf(body), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
  const lingering = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(lingering));
}

/** Answers `Expect` with anything but `100-continue` (RFC 9110, 10.1.1). */
export function answerExpectation(request: IncomingMessage, response: ServerResponse): void {
  const message = `cannot do what the header Expect asks: ${JSON.stringify(request.headers.expect ?? '')}`;
  const body = toBody('request-invalid', message);
  response.writeHead(417, { ...headersOf(body), connection: 'close' }).end(body);
}

interface Refusal {
  readonly status: string;
  readonly code: ErrorCode;
  readonly message: string;
}

function refusalOf(code: string | undefined): Refusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: '431 Request Header Fields Too Large', code: 'request-too-large', message: notServed };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        status: '408 Request Timeout',
        code: 'request-invalid',
        message: 'the request takes too long to arrive',
      };
    default:
      return { status: '400 Bad Request', code: 'request-invalid', message: notServed };
  }
}

const notServed = 'this is not an HTTP request that can be served';

function toBody(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message } });
}

function headersOf(body: string): Readonly<Record<string, string | number>> {
  return { ...securityHeaders, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
}
