import type { ConsulAnswers, ConsulQuery } from '../model/query.ts';
import {
  readDatacenters,
  readInstances,
  readKvEntries,
  readKvEntry,
  readNode,
  readNodes,
  readServices,
} from './consul-shapes.ts';

/** What Consul answered to a query, checked. Throws `consul-answer-invalid` for what is no such answer. */
export function readAnswer(query: ConsulQuery, body: unknown, what: string): ConsulAnswers[ConsulQuery['kind']] {
  switch (query.kind) {
    case 'key':
      return body === undefined ? undefined : readKvEntry(body, what);
    case 'key-tree':
      return body === undefined ? [] : readKvEntries(body, what);
    case 'service':
      return readInstances(body, what);
    case 'services':
      return readServices(body, what);
    case 'node':
      return body === undefined ? undefined : readNode(body, what);
    case 'nodes':
      return readNodes(body, what);
    case 'datacenters':
      return readDatacenters(body, what);
    case 'health':
      return undefined;
  }
}

/** The documented rules: an index below 1 is not one, and must not be blocked on ("Blocking Queries", HTTP API). */
export function readIndex(header: string | undefined): bigint {
  return header !== undefined && /^\d{1,19}$/.test(header) ? BigInt(header) : 0n;
}
