import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';

export interface RecordedRequest {
  /** The method, and the path without the names in it. */
  readonly what: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
}

/** Forwards to Consul on another port, and keeps what is asked. */
export async function recordConsul(
  t: Pick<TestLike, 'teardown'>,
  consul: ConsulAgent,
): Promise<{ readonly url: string; readonly requests: readonly RecordedRequest[] }> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    const { pathname, searchParams: query } = new URL(url, consul.url);
    const token = headers['x-consul-token'];
    const what = `${method} ${pathname.split('/').slice(2, 4).join('/')}`;
    requests.push({ what, query, token: typeof token === 'string' ? token : undefined });
    const { host, port } = consul.http;
    const onward = request({ host, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, consul.http.host);
  await once(server, 'listening');
  t.teardown(async () => {
    server.close();
    server.closeAllConnections();
  });
  const { address, port } = server.address() as AddressInfo;
  return { url: `http://${address}:${port}`, requests };
}
