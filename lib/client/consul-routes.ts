import { EventEmitter } from 'node:events';
import type Consul from 'consul';
import type { ConsulQuery } from '../model/query.ts';

/* Which request of Consul's API answers a query. */

export type Call = (options: Record<string, unknown>) => Promise<unknown>;
/** Turns a request into an answer (papi, "Plugins"). */
export type Plugin = (request: Sent, next: (again: boolean, ...result: unknown[]) => void) => void;
interface Sent {
  readonly err?: Error;
  readonly res?: { readonly statusCode: number; readonly body: unknown };
}
/** What the types of the `consul` package lack (consul 2.0, lib/utils.js). */
export type RawApi = Record<'_get' | '_put' | '_post', (request: object, end: Plugin) => Promise<unknown>>;
export interface Answer {
  readonly headers: Record<string, string | undefined>;
}

const plainPaths = { 'agent-node': '/agent/self', 'ca-roots': '/agent/connect/ca/roots', peerings: '/peerings' };

export function routeOf(client: Consul, query: ConsulQuery): Call {
  const consul = client as unknown as {
    kv: { get: Call };
    health: { service: Call; state: Call };
    catalog: { node: { list: Call; services: Call }; datacenters: Call };
  };
  switch (query.kind) {
    case 'key':
      return (request) => consul.kv.get({ ...request, buffer: true, key: query.key });
    case 'key-tree':
      return getText(client, { path: '/kv/{key}', params: { key: query.prefix }, query: { recurse: 'true' } });
    case 'service':
      return (request) => consul.health.service({ ...request, service: query.service });
    case 'services':
      return getText(client, { path: '/catalog/services', params: {}, query: {} });
    case 'node':
      return (request) => consul.catalog.node.services({ ...request, node: query.node });
    case 'nodes':
      return (request) => consul.catalog.node.list(request);
    case 'datacenters':
      return (request) => consul.catalog.datacenters(request);
    case 'connect':
      return get(client, { path: '/health/connect/{service}', params: { service: query.service } });
    case 'ca-leaf':
      return get(client, { path: '/agent/connect/ca/leaf/{service}', params: { service: query.service } });
    case 'agent-node':
    case 'ca-roots':
    case 'peerings':
      return get(client, { path: plainPaths[query.kind] });
    case 'health':
      // No check has this id: only the index is needed.
      return (request) => consul.health.state({ ...request, state: 'any', filter: 'CheckID == "-"' });
  }
}

/** A read that the package does not have. */
function get(
  client: Consul,
  { path, params = {} }: { readonly path: string; readonly params?: Readonly<Record<string, string>> },
): Call {
  const api = client as unknown as RawApi;
  return ({ token, timeout, ctx, ...query }) =>
    api._get({ path, params, query, headers: headersOf(token), timeout, ctx, type: 'json' }, answer);
}

/** A read whose answer is not parsed; undefined where there is nothing. An error has its text, as those of other reads. */
function getText(
  client: Consul,
  target: { readonly path: string; readonly params: Record<string, string>; readonly query: Record<string, string> },
): Call {
  const api = client as unknown as RawApi;
  const { path, params } = target;
  const end: Plugin = ({ err, res }, next) => {
    if (res?.statusCode === 404) return next(false, undefined, [res, undefined]);
    if (err === undefined) return next(false, undefined, [res, res?.body]);
    const response = Buffer.isBuffer(res?.body) ? { ...res, body: res.body.toString() } : res;
    next(false, response === undefined ? err : Object.assign(err, { response }));
  };
  return ({ token, timeout, ctx, ...query }) =>
    api._get(
      { path, params, query: { ...target.query, ...query }, headers: headersOf(token), timeout, ctx, buffer: true },
      end,
    );
}

/** For one request. Its event `cancel` ends the request (consul 2.0, lib/utils.js). */
export function makeContext() {
  return Object.assign(new EventEmitter(), { includeResponse: true });
}

export const headersOf = (token: unknown) => (token === undefined ? {} : { 'x-consul-token': token });

/** Like the package's own plugin: the answer with its headers, or the error with its answer. */
export function answer({ err, res }: Sent, next: Parameters<Plugin>[1]): void {
  if (err === undefined) next(false, undefined, [res, res?.body]);
  else next(false, res === undefined ? err : Object.assign(err, { response: res }));
}
