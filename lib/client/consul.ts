import { EventEmitter } from 'node:events';
import type http from 'node:http';
import Consul from 'consul';
import type { CatalogOperation } from '../model/catalog.ts';
import { type ConsulAnswers, type ConsulQuery, queryId } from '../model/query.ts';
import { readAnswer, readMetadata } from './consul-answers.ts';
import { isConflict, refusedStep, responseBody, translate } from './consul-errors.ts';
import { readTxnErrors, readTxnIndexes } from './consul-shapes.ts';
import { putTransaction, type TransactionTarget } from './consul-transaction.ts';
import { Precedence } from './precedence.ts';
import { timed } from './request-time.ts';
import { type ClientTls, makeHttpAgent } from './tls.ts';

/** How to reach the Consul agent. The TLS fields are PEM texts. */
export interface ConsulOptions {
  readonly host: string;
  readonly port: number;
  /** A unix domain socket instead of host and port. */
  readonly socketPath?: string;
  readonly tls?: ClientTls;
  /** A function gives the present token for each request: it may be rotated. */
  readonly token?: string | (() => string | undefined);
  readonly datacenter?: string;
  /** Called when Consul answered a transaction, with success or not. */
  readonly onTransaction?: () => void;
}

export interface ReadOptions {
  /** Blocks until the index passes this one; 0 or undefined answers at once. */
  readonly index?: bigint;
  /** How long Consul may block, at most 600,000. Default 300,000. */
  readonly waitMs?: number;
  /** `stale`: any server may answer; `consistent`: the leader confirms its leadership first. Default `default`. */
  readonly consistency?: 'default' | 'stale' | 'consistent';
  readonly signal?: AbortSignal;
  /** For reads that do not block. Default 10,000. */
  readonly timeoutMs?: number;
}

export interface Indexed<T> {
  readonly value: T;
  /** X-Consul-Index: the index for the next blocking query. */
  readonly index: bigint;
  /** False where the answering server knew no leader: the answer may be old. Always true for a streamed answer. */
  readonly knownLeader: boolean;
  /** Milliseconds since the answering server last heard of the leader; 0 from the leader itself, and where streamed. */
  readonly lastContactMs: number;
  /** True where the agent answers from the view that servers stream to it (the default since Consul 1.10). */
  readonly streamed?: boolean;
  /** The agent's clock, in whole seconds; NaN if the answer has no date. */
  readonly servedAtMs?: number;
}

/** The result of a transaction: all steps were carried out, or none. */
export type TransactionResult =
  | { readonly kind: 'committed'; readonly indexes: ReadonlyMap<string, number> }
  | { readonly kind: 'conflict'; readonly errors: readonly { readonly step: number; readonly what: string }[] };

/** Request options that the types of the `consul` package lack (consul 2.0, lib/utils.js). */
interface RequestContext extends EventEmitter {
  includeResponse: true;
}
interface Answer {
  readonly headers: Record<string, string | undefined>;
}
type Call = (options: Record<string, unknown>) => Promise<unknown>;
/** Turns a request into an answer (papi, "Plugins"). */
type Plugin = (request: Sent, next: (again: boolean, ...result: unknown[]) => void) => void;
interface Sent {
  readonly err?: Error;
  readonly res?: { readonly body: unknown };
}

/** `path` below /v1, with `{name}` for each of `params`. */
export interface AgentCall {
  readonly method: 'get' | 'put' | 'post';
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** For messages. */
  readonly what: string;
}

const defaultTimeoutMs = 10_000;
const defaultWaitMs = 300_000;

/** One Consul agent: reads with Consul's indexes, and transactions. Every failure is a SwitchmasterError. */
export class ConsulClient {
  readonly #consul: Consul;
  readonly #agent: http.Agent;
  readonly #options: ConsulOptions;
  readonly #precedence = new Precedence();
  readonly #onTransaction: () => void;

  constructor(options: ConsulOptions) {
    this.#options = options;
    this.#agent = makeHttpAgent(options.tls);
    this.#onTransaction = options.onTransaction ?? (() => {});
    const scheme = options.tls === undefined ? 'http' : 'https';
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    this.#consul = new Consul({
      baseUrl: `${scheme}://${host}:${options.port}/v1`,
      agent: this.#agent,
      ...(options.socketPath === undefined ? {} : { socketPath: options.socketPath }),
    } as ConstructorParameters<typeof Consul>[0]);
  }

  /** Reads once. With `index` it blocks until there is something newer or `waitMs` is over. */
  async read<Q extends ConsulQuery>(query: Q, options: ReadOptions = {}): Promise<Indexed<ConsulAnswers[Q['kind']]>> {
    const blocking = options.index !== undefined && options.index > 0n;
    const waitMs = options.waitMs ?? defaultWaitMs;
    const request: Record<string, unknown> = { ...this.#base };
    if ('dc' in query && query.dc !== undefined) request.dc = query.dc;
    if (options.consistency === 'stale') request.stale = true;
    if (options.consistency === 'consistent') request.consistent = true;
    if (blocking) Object.assign(request, { index: options.index, wait: `${waitMs}ms` });
    // Consul adds jitter of up to a sixteenth of the wait ("Blocking Queries", HTTP API).
    request.timeout = blocking ? Math.ceil(waitMs * 1.0625) + 5_000 : (options.timeoutMs ?? defaultTimeoutMs);
    const what = queryId(query);
    const ask = () => this.#call(this.#route(query), { request, what, signal: options.signal });
    // The duration of a blocking query is not a delay, so it is not measured.
    const [answer, body] = await (blocking ? ask() : timed({ server: 'consul', operation: query.kind }, ask));
    if (blocking) await this.#precedence.after();
    return {
      value: readAnswer(query, body, what) as ConsulAnswers[Q['kind']],
      ...readMetadata(query.kind, answer.headers),
    };
  }

  /**
   * Carries out all operations or none. A lost compare-and-set is an answer (`conflict`), not an error. The answers of
   * blocking queries wait for a moment while a transaction with `precedence` `over-watches` is under way.
   */
  async transact(
    operations: readonly CatalogOperation[],
    options: {
      readonly timeoutMs?: number;
      readonly signal?: AbortSignal;
      readonly precedence?: 'over-watches' | 'none';
    } = {},
  ): Promise<TransactionResult> {
    const { timeoutMs = defaultTimeoutMs, signal, precedence = 'none' } = options;
    const put = () => putTransaction(this.#transactions, operations, { timeoutMs, signal });
    const run = () => (precedence === 'none' ? put() : this.#precedence.first(put));
    try {
      signal?.throwIfAborted();
      const body = await timed({ server: 'consul', operation: 'transaction' }, run);
      this.#onTransaction();
      return { kind: 'committed', indexes: readTxnIndexes(body) };
    } catch (thrown) {
      signal?.throwIfAborted();
      const body = responseBody(thrown);
      const errors = body === undefined ? undefined : readTxnErrors(body);
      if (errors === undefined) throw translate(thrown, 'a transaction');
      this.#onTransaction();
      if (errors.every((error) => isConflict(error, operations))) return { kind: 'conflict', errors };
      throw refusedStep(errors, { operations, cause: translate(thrown, 'a transaction') });
    }
  }

  /** One call that the package does not support in full (the agent's API). Returns the answer, parsed if it is JSON. */
  async send(
    call: AgentCall,
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<unknown> {
    const api = this.#consul as unknown as Record<
      '_get' | '_put' | '_post',
      (request: object, end: Plugin) => Promise<unknown>
    >;
    const { method, what, ...target } = call;
    const { token } = this.#base;
    const headers = token === undefined ? {} : { 'x-consul-token': token };
    const send: Call = ({ timeout, ctx }) =>
      api[`_${method}`]({ ...target, headers, timeout, ctx, type: 'json' }, answer);
    const request = { timeout: options.timeoutMs ?? defaultTimeoutMs };
    const [, body] = await timed({ server: 'consul', operation: 'agent' }, () =>
      this.#call(send, { request, what, signal: options.signal }),
    );
    return body;
  }

  /** Closes every idle connection; requests under way fail. */
  close(): void {
    this.#agent.destroy();
  }

  get #base(): { readonly token?: string; readonly dc?: string } {
    const { token: given, datacenter: dc } = this.#options;
    const token = typeof given === 'function' ? given() : given;
    return { ...(token === undefined ? {} : { token }), ...(dc === undefined ? {} : { dc }) };
  }

  get #transactions(): TransactionTarget {
    return { ...this.#options, agent: this.#agent, token: this.#base.token };
  }

  #route(query: ConsulQuery): Call {
    const consul = this.#consul as unknown as {
      kv: { get: Call };
      health: { service: Call; state: Call };
      catalog: { service: { list: Call }; node: { list: Call; services: Call }; datacenters: Call };
    };
    switch (query.kind) {
      case 'key':
        return (request) => consul.kv.get({ ...request, key: query.key });
      case 'key-tree':
        return (request) => consul.kv.get({ ...request, key: query.prefix, recurse: true });
      case 'service':
        return (request) => consul.health.service({ ...request, service: query.service });
      case 'services':
        return (request) => consul.catalog.service.list(request);
      case 'node':
        return (request) => consul.catalog.node.services({ ...request, node: query.node });
      case 'nodes':
        return (request) => consul.catalog.node.list(request);
      case 'datacenters':
        return (request) => consul.catalog.datacenters(request);
      case 'health':
        // No check has this id: only the index is needed.
        return (request) => consul.health.state({ ...request, state: 'any', filter: 'CheckID == "-"' });
    }
  }

  async #call(
    call: Call,
    input: { request: Record<string, unknown>; what: string; signal: AbortSignal | undefined },
  ): Promise<[Answer, unknown]> {
    input.signal?.throwIfAborted();
    const context = Object.assign(new EventEmitter(), { includeResponse: true }) as RequestContext;
    const cancel = () => context.emit('cancel');
    input.signal?.addEventListener('abort', cancel, { once: true });
    try {
      return (await call({ ...input.request, ctx: context })) as [Answer, unknown];
    } catch (thrown) {
      input.signal?.throwIfAborted();
      throw translate(thrown, input.what);
    } finally {
      input.signal?.removeEventListener('abort', cancel);
    }
  }
}

/** Like the package's own plugin: the answer with its headers, or the error with its answer. */
function answer({ err, res }: Sent, next: Parameters<Plugin>[1]): void {
  if (err === undefined) next(false, undefined, [res, res?.body]);
  else next(false, res === undefined ? err : Object.assign(err, { response: res }));
}
