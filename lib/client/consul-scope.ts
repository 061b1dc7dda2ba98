import { SwitchmasterError } from '../errors.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import { responseBody } from './consul-errors.ts';
import type { AgentCall } from './consul-options.ts';

/*
 * Namespaces and admin partitions of Consul Enterprise. Most requests take them from two headers. A transaction takes them from
 * each step, and the question about rights from each entry; both ignore the headers (Consul 1.8 and 1.14, agent/txn_endpoint.go
 * and agent/acl_endpoint.go).
 */

export function scopeHeaders({ namespace, partition }: ConsulScope): Readonly<Record<string, string>> {
  return {
    'x-consul-namespace': namespace,
    ...(partition === undefined ? {} : { 'x-consul-partition': partition }),
  };
}

/** The fields of a step or of an entry. A node is in a partition, and in no namespace. */
export function scopeFields(
  scope: ConsulScope | undefined,
  of: 'node' | 'other',
): { readonly Namespace?: string; readonly Partition?: string } {
  if (scope === undefined) return {};
  const { namespace, partition } = scope;
  return {
    ...(of === 'node' ? {} : { Namespace: namespace }),
    ...(partition === undefined ? {} : { Partition: partition }),
  };
}

/** The body of a call, with the fields in each entry where Consul takes them from there. */
export function scopedBody(
  { body, scopedBy }: Pick<AgentCall, 'body' | 'scopedBy'>,
  scope: ConsulScope | undefined,
): { readonly body?: object } {
  if (body === undefined) return {};
  if (scope === undefined || scopedBy !== 'entries' || !Array.isArray(body)) return { body };
  return { body: body.map((entry: object) => ({ ...entry, ...scopeFields(scope, 'other') })) };
}

/** The open-source Consul refuses the header of a namespace; versions that know partitions refuse that of a partition, too. */
const refusesHeaders = /Invalid header: \\?"X-Consul-(?:Namespace|Partition)/;

export function refusesScope(thrown: unknown): boolean {
  return refusesHeaders.test(String(responseBody(thrown)));
}

/** The error that says what to do where this Consul has no such thing; undefined for every other failure. */
export function explainScope(scope: ConsulScope | undefined, thrown: unknown): SwitchmasterError | undefined {
  if (scope === undefined || !refusesScope(thrown)) return undefined;
  return notEnterprise(
    scope,
    'only Consul Enterprise has namespaces and partitions, and this agent is not of it',
    thrown,
  );
}

type Ask = (call: AgentCall) => Promise<unknown>;

/**
 * Rejects with `consul-refused` where Consul has no namespaces, or no partitions, and would write into the default one instead
 * (a transaction, at the open-source Consul; every request with a partition, at Consul Enterprise before 1.11). Asks both
 * at the same time.
 */
export async function proveScope(scope: ConsulScope, ask: Ask): Promise<void> {
  const proofs = [proveNamespace(ask), ...(scope.partition === undefined ? [] : [provePartition(scope, ask)])];
  for (const proof of await Promise.allSettled(proofs)) if (proof.status === 'rejected') throw proof.reason;
}

async function proveNamespace(ask: Ask): Promise<void> {
  const what = 'whether it has the namespace';
  // Any key will do. A missing key and a missing right are answers of a Consul that does not refuse the headers.
  await ask({ method: 'get', path: '/kv/{key}', params: { key: 'redis' }, what }).catch((thrown) => {
    if (!isAnswer(thrown, [403, 404])) throw thrown;
  });
}

async function provePartition(scope: ConsulScope, ask: Ask): Promise<void> {
  // A missing key is a conflict.
  const step = { KV: { Verb: 'get', Key: 'redis', ...scopeFields(scope, 'other') } };
  await ask({ method: 'put', path: '/txn', body: [step], what: 'whether it has partitions' }).catch((thrown) => {
    if (/unknown field/.test(SwitchmasterError.from(thrown).message))
      throw notEnterprise(scope, 'only Consul Enterprise 1.11 and later has partitions', thrown);
    if (!isAnswer(thrown, [403, 409])) throw thrown;
  });
}

function isAnswer(thrown: unknown, statuses: readonly number[]): boolean {
  const { status, setting } = SwitchmasterError.from(thrown).details;
  return setting === undefined && statuses.includes(status as number);
}

function notEnterprise({ settings }: ConsulScope, why: string, cause: unknown): SwitchmasterError {
  const remedy = settings
    .map((name) => (name.startsWith('CONSUL_') ? `unset ${name}` : `remove ${name}`))
    .join(' and ');
  const message = `Consul refuses ${settings.join(' and ')}: ${why}. Use the address of such an agent, or ${remedy}`;
  return new SwitchmasterError('consul-refused', message, { cause, details: { status: 400, setting: settings[0] } });
}
