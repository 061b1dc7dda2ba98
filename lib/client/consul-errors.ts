import { SwitchmasterError } from '../errors.ts';
import type { CatalogOperation } from '../model/catalog.ts';

/** What Consul said with an error. */
export function responseBody(thrown: unknown): unknown {
  return (thrown as { response?: { body?: unknown } } | undefined)?.response?.body;
}

/** Any failure of a request, as one of the closed codes; `what` was asked. */
export function translate(thrown: unknown, what: string): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const error = thrown as { statusCode?: number; response?: { statusCode?: number }; message?: string; code?: string };
  const status = error.response?.statusCode ?? error.statusCode;
  const body = responseBody(thrown);
  const said = typeof body === 'string' && body !== '' ? body.slice(0, 300).trim() : (error.message ?? String(thrown));
  const options = { cause: thrown, details: { what, ...(status === undefined ? {} : { status }) } };
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

/** Only a lost compare-and-set is a conflict; anything else that Consul refuses would be refused again. */
export function isFence(operation: CatalogOperation | undefined): boolean {
  return operation?.kind === 'kv-cas' || operation?.kind === 'kv-check-index';
}

/** ACL errors of a transaction come as 409 with this text and nothing else to tell them by (agent/consul/txn_endpoint.go). */
export function refusedStep(
  errors: readonly { readonly step: number; readonly what: string }[],
  context: { readonly operations: readonly CatalogOperation[]; readonly cause: unknown },
): SwitchmasterError {
  const refused = errors.find(({ step }) => !isFence(context.operations[step])) ?? errors[0];
  const place = JSON.stringify(context.operations[refused?.step ?? 0])?.slice(0, 200);
  const code = refused?.what.includes('Permission denied') ? 'consul-denied' : 'consul-refused';
  const message = `Consul refuses step ${refused?.step} of a transaction (${refused?.what}): ${place}`;
  return new SwitchmasterError(code, message, { cause: context.cause });
}
