import { SwitchmasterError } from '../errors.ts';
import { accessFor, isEmptyAnswer, type ReadAccess } from '../model/access.ts';
import type { CatalogOperation } from '../model/catalog.ts';
import { type ConsulScope, isDefaultScope, serviceDomain } from '../model/consul-scope.ts';
import { type ConsulAnswers, type ConsulQuery, queryId } from '../model/query.ts';
import { hiddenError, readAccessCall, readDenied } from './consul-access.ts';
import { isFiltered, readBody, readMetadata } from './consul-answers.ts';
import { ConsulConnections } from './consul-connections.ts';
import { isConflict, refusedStep, responseBody, translate } from './consul-errors.ts';
import type { AgentCall, ConsulOptions, Indexed, Limits, ReadOptions } from './consul-options.ts';
import { type Answer, answer, type Call, headersOf, makeContext, type RawApi, routeOf } from './consul-routes.ts';
import { explainScope, proveScope, refusesScope, scopedBody } from './consul-scope.ts';
import { readTxnErrors, readTxnIndexes } from './consul-shapes.ts';
import { putTransaction } from './consul-transaction.ts';
import { Precedence } from './precedence.ts';
import { timed } from './request-time.ts';

/** The result of a transaction: all steps were carried out, or none. */
export type TransactionResult =
  | { readonly kind: 'committed'; readonly indexes: ReadonlyMap<string, number> }
  | { readonly kind: 'conflict'; readonly errors: readonly { readonly step: number; readonly what: string }[] };

const defaultTimeoutMs = 10_000;
const defaultWaitMs = 300_000;
const accessTimeoutMs = 2_000;
/** Pause after Consul did not answer what a token may read. */
const accessPauseMs = 10_000;

/** One Consul agent: reads with Consul's indexes, and transactions. Every failure is a SwitchmasterError. */
export class ConsulClient {
  readonly #connections: ConsulConnections;
  readonly #options: ConsulOptions;
  /** What goes before the answers of blocking queries. */
  readonly precedence: Precedence;
  readonly #onTransaction: () => void;
  /** If ACLs are off, Consul does not answer what a token may read. */
  #accessUnknownUntilMs = 0;
  #isScopeProven: boolean;

  constructor(options: ConsulOptions) {
    this.#options = options;
    this.#connections = new ConsulConnections(options);
    this.#isScopeProven = options.scope === undefined;
    this.#onTransaction = options.onTransaction ?? (() => {});
    this.precedence = new Precedence({ hold: () => this.#connections.pauseBlocking() });
  }

  /** undefined also if the config names the default namespace, and this Consul is the open-source one, which has no other. */
  get scope(): ConsulScope | undefined {
    return this.#connections.scope;
  }

  /** Also where {@link scope} is undefined because the open-source Consul has no other. */
  get configuredScope(): ConsulScope | undefined {
    return this.#options.scope;
  }

  /** Whether a write need not ask first. */
  get isScopeProven(): boolean {
    return this.#isScopeProven;
  }

  /** The domain of the services that it reads, in Consul's DNS. */
  get serviceDomain(): string {
    return serviceDomain(this.scope);
  }

  /**
   * Reads once. With `index` it blocks until there is something newer or `waitMs` is over. Throws `consul-denied` also for
   * an empty answer that ACLs have emptied.
   */
  async read<Q extends ConsulQuery>(query: Q, options: ReadOptions = {}): Promise<Indexed<ConsulAnswers[Q['kind']]>> {
    const blocking = options.index !== undefined && options.index > 0n;
    const waitMs = options.waitMs ?? defaultWaitMs;
    const request: Record<string, unknown> = { ...this.#base };
    if ('dc' in query && query.dc !== undefined) request.dc = query.dc;
    if ('near' in query && query.near !== undefined) request.near = query.near;
    if (options.consistency === 'stale') request.stale = true;
    if (options.consistency === 'consistent') request.consistent = true;
    if (blocking) Object.assign(request, { index: options.index, wait: `${waitMs}ms` });
    // Consul adds jitter of up to a sixteenth of the wait ("Blocking Queries", HTTP API).
    request.timeout = blocking ? Math.ceil(waitMs * 1.0625) + 5_000 : (options.timeoutMs ?? defaultTimeoutMs);
    const what = queryId(query);
    const connections = () => (blocking ? this.#connections.blocking : this.#connections.pick(options.priority));
    const route: Call = (call) => routeOf(connections().consul, query)(call);
    const ask = () => this.#call(route, { request, what, signal: options.signal });
    // The duration of a blocking query is not a delay, so it is not measured.
    const [answer, body] = await (blocking ? ask() : timed({ server: 'consul', operation: query.kind }, ask));
    if (blocking) await this.precedence.after();
    const read = readBody(query, body, { what, known: options.known });
    const value = read.value as ConsulAnswers[Q['kind']];
    const access = isEmptyAnswer(value) ? accessFor(query) : undefined;
    if (access !== undefined) {
      const refused = isFiltered(answer.headers) ? [access] : await this.denied([access], { ...query, ...options });
      if (refused.length > 0) throw hiddenError(what, refused);
    }
    return { ...read, value, ...readMetadata(query.kind, answer.headers) };
  }

  /**
   * What of this the token may not read. Empty also where ACLs are off, or where Consul does not say it. Rejects if the
   * question may not have reached Consul because all connections were busy.
   */
  async denied(
    access: readonly ReadAccess[],
    { dc, signal }: { readonly dc?: string; readonly signal?: AbortSignal } = {},
  ): Promise<readonly ReadAccess[]> {
    if (access.length === 0 || performance.now() < this.#accessUnknownUntilMs) return [];
    const limits = { timeoutMs: accessTimeoutMs, priority: 'failover', ...(signal && { signal }) } as const;
    const wasFull = this.#connections.isFull;
    try {
      return readDenied(await this.send(readAccessCall(access, dc), limits), access);
    } catch (thrown) {
      signal?.throwIfAborted();
      const isUnreachable = SwitchmasterError.from(thrown).code === 'consul-unreachable';
      if (isUnreachable && (wasFull || this.#connections.isFull)) throw thrown;
      this.#accessUnknownUntilMs = performance.now() + accessPauseMs;
      return [];
    }
  }

  /**
   * Carries out all operations or none. A lost compare-and-set is an answer (`conflict`), not an error. The answers of
   * blocking queries wait for a moment while a transaction with `precedence` `over-watches` is under way, and it has the
   * priority of a failover.
   */
  async transact(
    operations: readonly CatalogOperation[],
    options: Limits & { readonly precedence?: 'over-watches' | 'none' } = {},
  ): Promise<TransactionResult> {
    const { timeoutMs = defaultTimeoutMs, signal, precedence = 'none' } = options;
    let limits: Limits = { ...options, timeoutMs, ...(precedence === 'none' ? {} : { priority: 'failover' }) };
    const put = () => this.#putTransaction(operations, limits);
    const run = () => (precedence === 'none' ? put() : this.precedence.first(put));
    try {
      signal?.throwIfAborted();
      if (!this.#isScopeProven) limits = { ...limits, timeoutMs: await this.#leftAfterProof(limits) };
      const body = await timed({ server: 'consul', operation: 'transaction' }, run);
      this.#onTransaction();
      return { kind: 'committed', indexes: readTxnIndexes(body) };
    } catch (thrown) {
      signal?.throwIfAborted();
      const body = responseBody(thrown);
      const errors = body === undefined ? undefined : readTxnErrors(body);
      if (errors === undefined) throw this.#translate(thrown, { scope: this.scope, what: 'a transaction' });
      this.#onTransaction();
      if (errors.every((error) => isConflict(error, operations))) return { kind: 'conflict', errors };
      throw refusedStep(errors, { operations, cause: translate(thrown, 'a transaction') });
    }
  }

  /**
   * One call that the package does not support in full. It goes to the client's datacenter, except to the agent's own API.
   * Returns the answer, parsed if it is JSON.
   */
  async send(call: AgentCall, options: Limits = {}): Promise<unknown> {
    if (call.method === 'get' || this.#isScopeProven) return this.#send(call, options);
    return this.#send(call, { ...options, timeoutMs: await this.#leftAfterProof(options) });
  }

  /**
   * Makes sure, before the first write, that this Consul does not ignore the client's namespace and partition. Whether they
   * exist is not asked. Throws `consul-refused` where it would ignore them. Asks nothing if it was proven before.
   */
  async proveScope(options: Limits): Promise<void> {
    if (this.#isScopeProven) return;
    try {
      if (this.scope !== undefined) await proveScope(this.scope, (call) => this.#send(call, options));
    } catch (thrown) {
      // The open-source Consul may know no partitions, but the default one is the only one that it has.
      if (this.scope !== undefined) throw thrown;
    }
    this.#isScopeProven = true;
  }

  /** Returns how much of the time is left for the write. */
  async #leftAfterProof(limits: Limits): Promise<number> {
    const { timeoutMs = defaultTimeoutMs } = limits;
    const startedMs = performance.now();
    await this.proveScope({ ...limits, timeoutMs });
    return Math.max(1, timeoutMs - (performance.now() - startedMs));
  }

  async #send(call: AgentCall, options: Limits): Promise<unknown> {
    const api = () => this.#connections.pick(options.priority).consul as unknown as RawApi;
    const { method, what, query = {}, path, params } = call;
    const target = () => ({ path, ...(params && { params }), ...scopedBody(call, this.scope) });
    const { token, dc: own } = this.#base;
    const dc = own === undefined || call.path.startsWith('/agent/') ? {} : { dc: own };
    const headers = headersOf(token);
    const send: Call = ({ timeout, ctx }) =>
      api()[`_${method}`]({ ...target(), query: { ...dc, ...query }, headers, timeout, ctx, type: 'json' }, answer);
    const request = { timeout: options.timeoutMs ?? defaultTimeoutMs };
    const [, body] = await timed({ server: 'consul', operation: 'agent' }, () =>
      this.#call(send, { request, what, signal: options.signal }),
    );
    return body;
  }

  /** Closes every idle connection; requests under way fail. */
  close(): void {
    this.#connections.close();
  }

  get #base(): { readonly token?: string; readonly dc?: string } {
    const { token: given, datacenter: dc } = this.#options;
    const token = typeof given === 'function' ? given() : given;
    return { ...(token === undefined ? {} : { token }), ...(dc === undefined ? {} : { dc }) };
  }

  #putTransaction(
    operations: readonly CatalogOperation[],
    { timeoutMs = defaultTimeoutMs, signal, priority }: Limits,
  ): Promise<unknown> {
    const { agent } = this.#connections.pick(priority);
    const { scope, headers } = this.#connections;
    const target = { ...this.#options, scope, agent, token: this.#base.token, headers };
    return putTransaction(target, operations, { timeoutMs, signal });
  }

  /** A Consul that refuses the namespace may have been replaced by one that has it, and the other way round. */
  #translate(thrown: unknown, { scope, what }: { scope: ConsulScope | undefined; what: string }): SwitchmasterError {
    const refused = explainScope(scope, thrown);
    if (refused !== undefined) this.#isScopeProven = false;
    return refused ?? translate(thrown, what);
  }

  async #call(
    call: Call,
    input: { request: Record<string, unknown>; what: string; signal: AbortSignal | undefined },
  ): Promise<[Answer, unknown]> {
    input.signal?.throwIfAborted();
    const context = makeContext();
    const cancel = () => context.emit('cancel');
    const { scope } = this;
    input.signal?.addEventListener('abort', cancel, { once: true });
    try {
      return (await call({ ...input.request, ctx: context })) as [Answer, unknown];
    } catch (thrown) {
      input.signal?.throwIfAborted();
      if (!isDefaultScope(scope) || !refusesScope(thrown)) throw this.#translate(thrown, { scope, what: input.what });
      this.#connections.leaveScope();
      return await this.#call(call, input);
    } finally {
      input.signal?.removeEventListener('abort', cancel);
    }
  }
}
