import { createHash } from 'node:crypto';
import { SwitchmasterError } from '../errors.ts';
import type { ConsulAnswers, ConsulQuery } from '../model/query.ts';
import { readAgentNode, readCaLeaf, readCaRoots, readPeerings } from './consul-mesh-shapes.ts';
import type { KnownText } from './consul-options.ts';
import {
  readDatacenters,
  readInstances,
  readKvEntries,
  readKvEntry,
  readNode,
  readNodes,
  readServices,
} from './consul-shapes.ts';

type Value = ConsulAnswers[ConsulQuery['kind']];

/**
 * Reads Consul's answer to a query, where it is a text or was parsed already. A folder of keys is read again every few seconds, and
 * the list of services after each change of one, so a text that is known has the value that was read from it, as the same object.
 * Throws `consul-answer-invalid` for any other shape.
 */
export function readBody(
  query: ConsulQuery,
  body: unknown,
  { what, known }: { readonly what: string; readonly known: KnownText | undefined },
): { readonly value: Value; readonly digest?: string } {
  if (!Buffer.isBuffer(body)) return { value: readAnswer(query, body, what) };
  const digest = createHash('sha256').update(body).digest('base64');
  if (digest === known?.digest) return { digest, value: known.value as Value };
  return { digest, value: readAnswer(query, parseText(body, what), what) };
}

/** The values of Consul's keys are in base64. Consul sends null for an empty list of them. */
function parseText(body: Buffer, what: string): unknown {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch (cause) {
    throw new SwitchmasterError('consul-answer-invalid', `Consul's answer about ${what} is not JSON.`, {
      cause,
      details: { what },
    });
  }
  if (!Array.isArray(json)) return json ?? undefined;
  return json.map((entry) =>
    typeof entry?.Value === 'string' ? { ...entry, Value: Buffer.from(entry.Value, 'base64') } : entry,
  );
}

function readAnswer(query: ConsulQuery, body: unknown, what: string): Value {
  switch (query.kind) {
    case 'key':
      return body === undefined ? undefined : readKvEntry(body, what);
    case 'key-tree':
      return body === undefined ? [] : readKvEntries(body, what);
    case 'service':
    case 'connect':
      return readInstances(body, { what, order: query.near === undefined ? 'by-name' : 'as-given' });
    case 'services':
      return readServices(body, what);
    case 'node':
      return body === undefined ? undefined : readNode(body, what);
    case 'nodes':
      return readNodes(body, { what, order: query.near === undefined ? 'by-name' : 'as-given' });
    case 'agent-node':
      return readAgentNode(body, what);
    case 'ca-roots':
      return readCaRoots(body, what);
    case 'ca-leaf':
      return readCaLeaf(body, what);
    case 'peerings':
      return readPeerings(body, what);
    case 'datacenters':
      return readDatacenters(body, what);
    case 'health':
      return undefined;
  }
}

/** What the headers of an answer say about it. */
export interface AnswerMetadata {
  readonly index: bigint;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
  readonly streamed: boolean;
  readonly servedAtMs: number;
}

/**
 * Since Consul 1.10 agents answer blocking queries about a service's health from a view that the servers stream to them
 * (`use_streaming_backend`). Nothing fills in the leader and the last contact of such an answer, so that it carries
 * `X-Consul-KnownLeader: false` and `X-Consul-LastContact: 0` whatever the truth is (agent/rpcclient/health/health.go,
 * ServiceNodes; agent/http.go, setMeta). For those answers the two headers mean nothing. Consul 1.12 and later name the
 * backend. In 1.10 and 1.11 the two headers together identify it: a server without a leader counts the time since it had one.
 */
export function readMetadata(kind: ConsulQuery['kind'], headers: Headers): AnswerMetadata {
  const streamed = isStreamed(kind, headers);
  return {
    index: readIndex(headers['x-consul-index']),
    knownLeader: streamed || headers['x-consul-knownleader'] !== 'false',
    lastContactMs: Number(headers['x-consul-lastcontact'] ?? 0),
    streamed,
    servedAtMs: Date.parse(headers.date ?? ''),
  };
}

/** Whether Consul left something out that the token may not read (Consul 1.11 and later). */
export function isFiltered(headers: Headers): boolean {
  return headers['x-consul-results-filtered-by-acls'] === 'true';
}

function isStreamed(kind: ConsulQuery['kind'], headers: Headers): boolean {
  const backend = headers['x-consul-query-backend'];
  if (backend !== undefined) return backend === 'streaming';
  return kind === 'service' && headers['x-consul-knownleader'] === 'false' && headers['x-consul-lastcontact'] === '0';
}

type Headers = Readonly<Record<string, string | undefined>>;

/** The documented rules: an index below 1 is not one, and must not be blocked on ("Blocking Queries", HTTP API). */
function readIndex(header: string | undefined): bigint {
  return header !== undefined && /^\d{1,19}$/.test(header) ? BigInt(header) : 0n;
}
