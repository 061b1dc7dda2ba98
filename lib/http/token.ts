import type { FastifyInstance, FastifyRequest } from 'fastify';
import { SwitchmasterError } from '../errors.ts';
import { isSameSecret } from '../model/same-secret.ts';
import { clientOf } from './client.ts';

/** How many wrong tokens one address may send before it is throttled, and the interval of further attempts. */
const maxFailures = 10;
const refillMs = 6_000;
/** The maximum number of remembered addresses. */
const maxAddresses = 1_000;

const reading: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Whether a request of this method only reads. */
export function changesNothing(method: string): boolean {
  return reading.has(method);
}

/** Checks the token of requests. */
export interface TokenGuard {
  /** Whether a request has a token, right or wrong. */
  isBrought(request: FastifyRequest): boolean;
  /** Throws `request-denied` or `request-throttled` unless the request has the right token. */
  admit(request: FastifyRequest): void;
}

/**
 * Requires `Authorization: Bearer TOKEN` of every request that changes something. The comparison takes constant time. The
 * right token always passes: others at the same address, and pages in an operator's browser, must not be able to lock the
 * operator out. Wrong tokens from an address that sent too many get 429 for a while.
 */
export function addTokenGuard(server: FastifyInstance, options: { readonly token: string | undefined }): TokenGuard {
  const expected = options.token;
  const failures = new Failures();
  const admit = (request: FastifyRequest): void => {
    if (expected === undefined) {
      throw new SwitchmasterError(
        'request-denied',
        'calls that need the token are switched off: api.tokenFile is not set',
      );
    }
    const given = /^Bearer (\S{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined) {
      if (isSameSecret(given, expected)) return;
      if (failures.exceeded(clientOf(request.ip))) {
        throw new SwitchmasterError('request-throttled', 'too many wrong tokens from this address: try again later');
      }
      failures.add(clientOf(request.ip));
    }
    throw new SwitchmasterError('request-denied', 'this call needs the header Authorization: Bearer TOKEN');
  };
  server.addHook('onRequest', async (request) => {
    if (!changesNothing(request.method) && !request.is404) admit(request);
  });
  return { isBrought: ({ headers }) => /^Bearer /i.test(headers.authorization ?? ''), admit };
}

/** A leaky bucket of wrong tokens for each address. */
class Failures {
  readonly #buckets = new Map<string, { count: number; atMs: number }>();

  exceeded(address: string): boolean {
    return this.#count(address) > maxFailures - 1;
  }

  add(address: string): void {
    const count = this.#count(address) + 1;
    // Reinserted, so that the oldest is first in the map's order.
    this.#buckets.delete(address);
    this.#buckets.set(address, { count, atMs: performance.now() });
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maxAddresses && oldest !== undefined) this.#buckets.delete(oldest);
  }

  #count(address: string): number {
    const bucket = this.#buckets.get(address);
    if (bucket === undefined) return 0;
    return Math.max(0, bucket.count - (performance.now() - bucket.atMs) / refillMs);
  }
}
