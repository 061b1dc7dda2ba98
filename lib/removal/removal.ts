import type { ConsulClient } from '../client/consul.ts';
import { maxTransactionSteps } from '../client/consul-operations.ts';
import type { Config } from '../config/model.ts';
import { findSimilar } from '../config/similar.ts';
import { ConsulPart } from '../consul/part.ts';
import { SwitchmasterError } from '../errors.ts';
import { removalMark, removalText } from '../model/continuity.ts';
import { parseJsonObject } from '../model/json.ts';
import { clusterKey, recordKey } from '../model/naming.ts';
import { consulCommand } from '../model/shell-words.ts';
import { observeRemoval, type RemovalSubject } from './observe.ts';
import { planRemoval } from './plan/plan.ts';
import type { RemovalPermissions, RemovalPlan, RemovalSnapshot } from './plan/snapshot.ts';

export type { RemovalPlan } from './plan/snapshot.ts';

export interface RemovalWish extends RemovalSubject {
  readonly permissions: RemovalPermissions;
}

/** The result of a removal. */
export type RemovalOutcome =
  | { readonly kind: 'gone' }
  /** A daemon that still follows it wrote its record again. */
  | { readonly kind: 'returned'; readonly by: string };

export interface RemovalRun {
  readonly signal: AbortSignal;
  /** Takes sentences about what the user must do by hand. */
  readonly warn: (message: string) => void;
}

const writeTimeoutMs = 5_000;
/** How long a daemon that still follows a removed name usually takes to write its record again. */
const returnMs = 2_000;

/** The removal of one master or cluster from Consul. */
export class Removal {
  readonly #consul: ConsulPart;
  readonly #config: Config;
  readonly #wish: RemovalWish;

  constructor(config: Config, wish: RemovalWish) {
    this.#consul = new ConsulPart(config.consul);
    this.#config = config;
    this.#wish = wish;
  }

  /** What would be deleted now, and what is in the way. Rejects with `not-found` where Consul has nothing of the name. */
  async plan(): Promise<RemovalPlan> {
    const snapshot = await this.#observe();
    const plan = planRemoval(snapshot, this.#wish.permissions);
    const isMonitored = snapshot.sentinels.some(({ state }) => state === 'monitors');
    if (plan.steps.length === 0 && !isMonitored) throw await this.#unknown(snapshot);
    return plan;
  }

  /**
   * Deletes what `previewed` shows. Rejects with `forget-refused` if anything of it has changed since, or something is in
   * the way now. The first transaction has the record: nothing is deleted without it. More than 64 steps are several
   * transactions, and one that is refused leaves what the former have deleted. `signal` ends it before the first
   * transaction, or the wait after the last one.
   */
  async carryOut(previewed: RemovalPlan, { signal, warn }: RemovalRun): Promise<RemovalOutcome> {
    const snapshot = await this.#observe();
    const { refusals, steps } = planRemoval(snapshot, this.#wish.permissions);
    if (refusals.length > 0) throw refused(refusals.map(({ text }) => text).join('; '));
    if (JSON.stringify(steps) !== JSON.stringify(previewed.steps)) throw this.#changed(0);
    if (signal.aborted) throw refused('the command was ended, and nothing was deleted');
    const isMarked = (await this.#mark('kv-set', snapshot)) !== 'consul-denied';
    try {
      await this.#delete(steps);
      return await this.#watchReturn(snapshot, signal);
    } finally {
      const problem = await this.#mark('kv-delete', snapshot);
      if (isMarked && problem !== undefined) warn(describeMark(snapshot));
    }
  }

  async close(): Promise<void> {
    await this.#consul.stop();
  }

  get #client(): ConsulClient {
    return this.#consul.client;
  }

  /**
   * Renderers hold a record that vanishes with all its traces, unless this mark says that somebody removed it. Without the
   * right to write it, they may hold the master for some minutes. Returns the code of the error.
   */
  async #mark(
    kind: 'kv-set' | 'kv-delete',
    { naming, name, subject }: RemovalSnapshot,
  ): Promise<SwitchmasterError['code'] | undefined> {
    if (subject !== 'master') return undefined;
    const key = removalMark(recordKey(naming, name));
    const step = kind === 'kv-set' ? ({ kind, key, value: removalText } as const) : ({ kind, key } as const);
    try {
      await this.#client.transact([step], { timeoutMs: writeTimeoutMs });
      return undefined;
    } catch (thrown) {
      return SwitchmasterError.from(thrown).code;
    }
  }

  async #delete(steps: RemovalPlan['steps']): Promise<void> {
    for (let from = 0; from < steps.length; from += maxTransactionSteps) {
      const part = steps.slice(from, from + maxTransactionSteps);
      const result = await this.#client.transact(part, { timeoutMs: writeTimeoutMs });
      if (result.kind === 'conflict') throw this.#changed(from);
    }
  }

  #observe(): Promise<RemovalSnapshot> {
    return observeRemoval(this.#client, { config: this.#config, ...this.#wish });
  }

  /** Waits for a moment, and reads whether somebody wrote the record again. */
  async #watchReturn({ naming, name, subject }: RemovalSnapshot, signal: AbortSignal): Promise<RemovalOutcome> {
    const key = subject === 'master' ? recordKey(naming, name) : clusterKey(naming, name);
    const query = { kind: 'key', key } as const;
    const untilMs = performance.now() + returnMs;
    let { value, index } = await this.#client.read(query, { consistency: 'consistent' });
    // Consul also answers when a key beside it changes.
    for (let leftMs = returnMs; value === undefined && leftMs > 0; leftMs = untilMs - performance.now()) {
      if (signal.aborted) return { kind: 'gone' };
      try {
        ({ value, index } = await this.#client.read(query, { index, waitMs: Math.ceil(leftMs), signal }));
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      }
    }
    if (value === undefined) return { kind: 'gone' };
    const { changedBy } = parseJsonObject(value.value) ?? {};
    return { kind: 'returned', by: typeof changedBy === 'string' ? changedBy : 'somebody' };
  }

  #changed(deleted: number): SwitchmasterError {
    const { name } = this.#wish;
    const before = deleted === 0 ? '' : `, and ${deleted} steps were carried out before`;
    return refused(`${name} changed in Consul after the preview${before}: run the command again`);
  }

  async #unknown({ naming, recorded }: RemovalSnapshot): Promise<SwitchmasterError> {
    const { name, subject } = this.#wish;
    const other = subject === 'master' ? clusterKey(naming, name) : recordKey(naming, name);
    const found = await this.#client.read({ kind: 'key', key: other }, {}).catch(() => undefined);
    return new SwitchmasterError(
      'not-found',
      `Consul has nothing of a ${subject} called ${JSON.stringify(name)} (${hint({ name, subject, recorded, isOther: found?.value !== undefined })})`,
    );
  }
}

function hint(known: Pick<RemovalSnapshot, 'name' | 'subject' | 'recorded'> & { readonly isOther: boolean }): string {
  const { name, subject, recorded, isOther } = known;
  if (isOther)
    return subject === 'master' ? 'it is a Redis Cluster: add --cluster' : 'it is a master: leave out --cluster';
  const similar = findSimilar(name, recorded);
  if (similar !== undefined) return `did you mean ${similar}?`;
  return recorded.length === 0 ? `it has no ${subject}` : `it has ${recorded.join(', ')}`;
}

function describeMark({ naming, name, scope }: RemovalSnapshot): string {
  const command = consulCommand('kv delete', { scope, operands: [removalMark(recordKey(naming, name))] });
  return `The mark of the removal could not be deleted. Renderers take a loss of ${name} for its removal while it is there: ${command}`;
}

function refused(why: string): SwitchmasterError {
  return new SwitchmasterError('forget-refused', why);
}
