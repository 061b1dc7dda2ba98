import { EventEmitter, once } from 'node:events';
import type { Indexed, ReadOptions } from '../../lib/client/consul-options.ts';
import type { FormerRecords } from '../../lib/consul/trusted-records.ts';
import type { Reader } from '../../lib/consul/watches.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { KvEntry, ServiceInstance } from '../../lib/model/catalog.ts';
import { removalMark, removalText } from '../../lib/model/continuity.ts';
import { type ConsulQuery, queryId } from '../../lib/model/query.ts';
import { formatRecord } from '../../lib/model/record.ts';
import { makeInstance, makeRecord } from '../template/world.ts';

export type Source = 'records' | 'keys' | 'services';

interface Request {
  answer(answer: Indexed<unknown>): void;
  fail(): void;
}

const prefixes = { records: 'redis/record/', keys: 'redis/master/' } as const;

/** A Consul that can lose its data. It answers each query when the test lets it. */
export class LosableConsul implements Reader {
  /** Masters that an operator has removed once. */
  readonly removed = new Set<string>();
  readonly #waiting = new Map<Source, Request>();
  readonly #arrivals = new EventEmitter();
  readonly #services = new Map<string, { readonly instance: ServiceInstance; readonly index: number }>();
  readonly #deletions = new Map<string, number>();
  #keys = new Map<string, KvEntry>();
  #index = 40;
  #losses = 0;
  #epoch = 1;

  /** The masters that have a record. */
  get names(): ReadonlySet<string> {
    return new Set([...this.#services.keys()].filter((name) => this.#keys.has(`${prefixes.records}${name}`)));
  }

  /** What a daemon saves that follows the records now. */
  get former(): FormerRecords {
    const id = queryId({ kind: 'key-tree', prefix: prefixes.records });
    const records = [...this.#keys.values()].filter(({ key }) => key.startsWith(prefixes.records));
    return { records: records.map(({ value }) => value), indexes: { [id]: String(this.#indexOf('records')) } };
  }

  read(query: ConsulQuery, { signal }: ReadOptions): Promise<never> {
    const source =
      query.kind === 'service' ? 'services' : 'prefix' in query && query.prefix === prefixes.keys ? 'keys' : 'records';
    return new Promise((resolve, reject) => {
      const fail = () => reject(new SwitchmasterError('consul-unreachable', 'refused'));
      this.#waiting.set(source, { answer: (answer) => resolve(answer as never), fail });
      signal?.addEventListener('abort', () => {
        this.#waiting.delete(source);
        reject(signal.reason);
      });
      this.#arrivals.emit('request');
    });
  }

  /** As a bridge does at a change of master. */
  write(name: string): void {
    this.#epoch += 1;
    const master = { host: '10.0.0.7', port: this.#epoch };
    this.#index += 1;
    this.#set(`${prefixes.records}${name}`, formatRecord(makeRecord({ name, master, epoch: this.#epoch })));
    this.#set(`${prefixes.keys}${name}`, `10.0.0.7:${this.#epoch}`);
    const instance = makeInstance({ name: 'redis-master', tags: [name], address: master.host, port: master.port });
    this.#services.set(name, { instance, index: this.#index });
  }

  /** As `switchmaster forget` does: a mark, one transaction, and later the end of the mark. */
  forget(name: string): void {
    if (!this.#services.has(name)) return;
    this.#index += 1;
    this.#set(removalMark(`${prefixes.records}${name}`), removalText);
    this.#index += 1;
    this.#delete(`${prefixes.records}${name}`);
    this.#delete(`${prefixes.keys}${name}`);
    this.#services.delete(name);
    this.removed.add(name);
  }

  /** Everything is gone, and the index begins again. */
  lose(): void {
    this.#keys = new Map();
    this.#services.clear();
    this.#deletions.clear();
    this.#losses += 1;
    this.#index = 10 + this.#losses;
  }

  /** Bridges write again what was there. */
  return(name: string): void {
    if (!this.#services.has(name) && !this.removed.has(name)) this.write(name);
  }

  /** Another program writes a lot of keys. */
  other(): void {
    this.#index += 35;
    this.#keys.set('other', { key: 'other', value: '', modifyIndex: this.#index });
  }

  /** The record is deleted by hand, and its other traces stay. */
  edit(name: string): void {
    this.#index += 1;
    this.#delete(`${prefixes.records}${name}`);
  }

  async answer(source: Source): Promise<void> {
    (await this.#take(source)).answer({
      value: this.#valueOf(source),
      index: this.#indexOf(source),
      knownLeader: true,
      lastContactMs: 0,
    });
    await this.#next(source);
  }

  async fail(source: Source): Promise<void> {
    (await this.#take(source)).fail();
    await this.#next(source);
  }

  /** Enough answers for each watch to know the present state. */
  async answerAll(): Promise<void> {
    for (const source of ['records', 'keys', 'services', 'records', 'keys', 'services', 'records'] as const)
      await this.answer(source);
  }

  async #take(source: Source): Promise<Request> {
    await this.#next(source);
    const request = this.#waiting.get(source);
    this.#waiting.delete(source);
    if (request === undefined) throw new Error(`no request for the ${source}`);
    return request;
  }

  async #next(source: Source): Promise<void> {
    while (!this.#waiting.has(source)) await once(this.#arrivals, 'request');
  }

  #set(key: string, value: string): void {
    this.#keys.set(key, { key, value, modifyIndex: this.#index });
  }

  #delete(key: string): void {
    if (this.#keys.delete(key)) this.#deletions.set(key, this.#index);
  }

  #valueOf(source: Source): unknown {
    if (source === 'services') return [...this.#services.values()].map(({ instance }) => instance);
    return [...this.#keys.values()].filter(({ key }) => key.startsWith(prefixes[source]));
  }

  /** As of Consul: the last change below the prefix, and the last of all where there never was one. */
  #indexOf(source: Source): bigint {
    const present = [...this.#keys.values()].map(({ key, modifyIndex }) => [key, modifyIndex] as const);
    const indexes =
      source === 'services'
        ? [...this.#services.values()].map(({ index }) => index)
        : [...present, ...this.#deletions].flatMap(([key, index]) => (key.startsWith(prefixes[source]) ? [index] : []));
    return BigInt(indexes.length === 0 ? this.#index : Math.max(...indexes));
  }
}
