import { SwitchmasterError } from '../errors.ts';
import type { CatalogOperation } from '../model/catalog.ts';
import { explainFault, isNamed } from '../model/link-fault.ts';
import { faultOfError } from './fault.ts';

/** The body of an error's answer. */
export function responseBody(thrown: unknown): unknown {
  return (thrown as { response?: { body?: unknown } } | undefined)?.response?.body;
}

/** The answer of Go's net/http, with status 400, on a port that speaks TLS. */
const spokePlain = /^Client sent an HTTP request to an HTTPS server/;

/** Translates a failure of the request about `what` into an error code. */
export function translate(thrown: unknown, what: string): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const error = thrown as { statusCode?: number; response?: { statusCode?: number }; message?: string; code?: string };
  const status = error.response?.statusCode ?? error.statusCode;
  const body = responseBody(thrown);
  const said = typeof body === 'string' && body !== '' ? body.slice(0, 300).trim() : (error.message ?? String(thrown));
  const fault = status === undefined ? faultOfError(thrown) : spokePlain.test(said) ? 'tls-expected' : undefined;
  const facts = { ...(status === undefined ? {} : { status }), ...(fault === undefined ? {} : { fault }) };
  const options = { cause: thrown, details: { what, ...facts } };
  if (fault !== undefined && isNamed(fault)) {
    const message = `Consul does not answer about ${what}: the agent ${explainFault(fault)}`;
    return new SwitchmasterError('consul-unreachable', message, options);
  }
  if (status === undefined) {
    return new SwitchmasterError('consul-unreachable', `Consul does not answer about ${what}: ${said}`, options);
  }
  if (status === 401 || status === 403) {
    return new SwitchmasterError('consul-denied', `Consul refuses the token for ${what}: ${said}`, options);
  }
  if (status >= 500 || status === 429) {
    return new SwitchmasterError('consul-unavailable', `Consul cannot serve ${what} (${status}): ${said}`, options);
  }
  return new SwitchmasterError('consul-refused', `Consul refuses ${what} (${status}): ${said}`, options);
}

/** Consul's error about one step of a transaction. */
export interface StepError {
  readonly step: number;
  readonly what: string;
}

/** Only a lost check-and-set is a conflict. Consul would refuse any other step again. */
export function isConflict(error: StepError, operations: readonly CatalogOperation[]): boolean {
  const kind = operations[error.step]?.kind;
  return kind !== undefined && checkAndSets.has(kind) && !isDenied(error);
}

const checkAndSets: ReadonlySet<CatalogOperation['kind']> = new Set([
  'kv-cas',
  'kv-check-index',
  'kv-delete-cas',
  'node-delete-cas',
  'service-delete-cas',
]);

export function refusedStep(
  errors: readonly StepError[],
  context: { readonly operations: readonly CatalogOperation[]; readonly cause: unknown },
): SwitchmasterError {
  const refused = errors.find((error) => !isConflict(error, context.operations)) ?? errors[0];
  // Without the value, which may contain a time: a repeated error has the same text each time.
  const shown = (name: string, value: unknown) => (name === 'value' ? undefined : value);
  const place = JSON.stringify(context.operations[refused?.step ?? 0], shown)?.slice(0, 200);
  const code = refused !== undefined && isDenied(refused) ? 'consul-denied' : 'consul-refused';
  const fix = code === 'consul-denied' ? '. Give the token what "switchmaster acl" prints' : '';
  const message = `Consul refuses step ${refused?.step} of a transaction (${refused?.what}): ${place}${fix}`;
  return new SwitchmasterError(code, message, { cause: context.cause });
}

/** ACL errors of a transaction have status 409 and are marked only by this text (agent/consul/txn_endpoint.go). */
function isDenied({ what }: StepError): boolean {
  return what.includes('Permission denied');
}
