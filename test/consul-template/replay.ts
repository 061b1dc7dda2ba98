import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers of Consul, by request. */
export type Recording = Record<string, RecordedAnswer>;

interface RecordedAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  close(): void;
}

/** Passes requests on to Consul, and records the answers. */
export function startRecorder(url: string, recording: Recording): Promise<Endpoint> {
  return serve(async ({ method = 'GET', url: path = '/' }, body) => {
    const answer = await fetch(url + path, { method, ...(body === '' ? {} : { body }) });
    const text = await answer.text();
    const recorded = { status: answer.status, body: withoutKey(text) };
    recording[`${method} ${path}`] = recorded;
    return recorded;
  });
}

/** No private key in the recording, not even one of a test. */
function withoutKey(body: string): string {
  return body.replace(/(-----BEGIN \w+ PRIVATE KEY-----\\n).*?(\\n-----END)/g, '$1removed$2');
}

/** Answers as Consul did when the recording was made. */
export function startReplay(recording: Readonly<Recording>): Promise<Endpoint> {
  return serve(async ({ method, url }) => {
    return recording[`${method} ${url}`] ?? { status: 500, body: `not recorded: ${method} ${url}` };
  });
}

type Handler = (request: IncomingMessage, body: string) => Promise<RecordedAnswer>;

async function serve(handle: Handler): Promise<Endpoint> {
  const server = createServer((request, response) => void answer(request, response, handle));
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { host: '127.0.0.1', port, close };
}

async function answer(request: IncomingMessage, response: ServerResponse, handle: Handler): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const { status, body } = await handle(request, Buffer.concat(chunks).toString());
  response.writeHead(status, { 'content-type': 'application/json', 'x-consul-index': '1' });
  response.end(body);
}
