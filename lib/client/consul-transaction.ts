import http from 'node:http';
import https from 'node:https';
import type { CatalogOperation } from '../model/catalog.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import { toTxnStep } from './consul-operations.ts';

/** Where transactions go, over connections that the agent keeps open. */
export interface TransactionTarget {
  readonly agent: http.Agent;
  readonly host: string;
  readonly port: number;
  readonly socketPath?: string | undefined;
  readonly token?: string | undefined;
  readonly datacenter?: string | undefined;
  readonly scope?: ConsulScope | undefined;
  /** Headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * PUT /v1/txn (Consul 1.8, "HTTP API: Transactions"). A failover waits for it, so it goes to Node's client without the
 * layers of the `consul` package. Returns the parsed answer. Rejects as that package does: with `response`, where Consul
 * answered with an error, with the error of the connection, or with the signal's reason. The time counts from this call,
 * also while the request waits for a connection.
 */
export async function putTransaction(
  target: TransactionTarget,
  operations: readonly CatalogOperation[],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<unknown> {
  const { timeoutMs, signal } = options;
  const body = Buffer.from(JSON.stringify(operations.map((operation) => toTxnStep(operation, target.scope))));
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
  const request = send(target, body);
  // A request that waits for a connection reports its end only when it gets one.
  const end = (error: Error): void => {
    reject(error);
    request.destroy(error);
  };
  const onAbort = (): void => end(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => end(new Error(`request timed out (${timeoutMs}ms)`)), timeoutMs);
  request.on('error', reject);
  request.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    response.on('error', reject);
    response.on('close', () => reject(new Error('the connection was closed within the answer')));
  });
  try {
    return readResponse(await promise);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function send(target: TransactionTarget, body: Buffer): http.ClientRequest {
  const { agent, host, port, socketPath, token, datacenter, headers } = target;
  const query = datacenter === undefined ? '' : `?dc=${encodeURIComponent(datacenter)}`;
  const client = agent instanceof https.Agent ? https : http;
  const request = client.request({
    agent,
    ...(socketPath === undefined ? { host, port } : { socketPath }),
    method: 'PUT',
    path: `/v1/txn${query}`,
    headers: {
      ...headers,
      'content-type': 'application/json; charset=utf-8',
      'content-length': body.length,
      ...(token === undefined ? {} : { 'x-consul-token': token }),
    },
  });
  request.end(body);
  return request;
}

/** Errors have text or, for a transaction that was rolled back, JSON. */
function readResponse({ status, text }: { readonly status: number; readonly text: string }): unknown {
  const body = parse(text);
  if (status >= 200 && status < 300) return body;
  throw Object.assign(new Error(http.STATUS_CODES[status] ?? `status ${status}`), {
    response: { statusCode: status, body },
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
