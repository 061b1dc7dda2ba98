import type { IsolationState as ShownIsolation } from '../../http/views.ts';
import type { MasterProblem } from '../../model/problem.ts';
import { ticks } from '../../ticks.ts';
import type { LocalRedis } from './local-redis.ts';
import { IsolationWatch, type IsolationWatchOptions } from './watch.ts';

export interface IsolationOptions extends Omit<IsolationWatchOptions, 'redis'> {
  /** Those of this node whose writes may be paused. */
  readonly localRedis: () => readonly LocalRedis[];
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
}

/** Keeps isolated masters of this node from acknowledging writes that their successors will not have. */
export class Isolation {
  readonly #options: IsolationOptions;
  readonly #watches = new Map<string, IsolationWatch>();
  #stopTicks: () => void = () => undefined;

  constructor(options: IsolationOptions) {
    this.#options = options;
  }

  start(): void {
    this.#adopt();
    this.#stopTicks = ticks.every(1, () => this.#adopt());
  }

  stop(): void {
    this.#stopTicks();
    for (const watch of this.#watches.values()) watch.stop();
    this.#watches.clear();
  }

  /** Of the Redis that is master, or else of any. */
  of(name: string): ShownIsolation | null {
    const all = this.#of(name).toSorted((a, b) => Number(a.isReplica) - Number(b.isReplica));
    const shown = all.flatMap((watch) => watch.shown ?? []);
    return shown.find(({ state }) => state !== 'inactive') ?? shown[0] ?? null;
  }

  problems(name: string): readonly MasterProblem[] {
    return this.#of(name).flatMap(({ problems }) => problems);
  }

  #of(name: string): readonly IsolationWatch[] {
    return [...this.#watches.values()].filter(({ redis }) => redis.name === name);
  }

  #adopt(): void {
    const { localRedis, matches } = this.#options;
    const wanted = new Map(localRedis().flatMap((redis) => (matches(redis.name) ? [[redis.id, redis] as const] : [])));
    for (const [id, watch] of this.#watches) {
      const redis = wanted.get(id);
      if (redis?.name === watch.redis.name && redis.access === watch.redis.access) {
        watch.redis = redis;
        continue;
      }
      watch.stop();
      this.#watches.delete(id);
    }
    for (const [id, redis] of wanted) {
      if (this.#watches.has(id)) continue;
      const watch = new IsolationWatch({ ...this.#options, redis });
      this.#watches.set(id, watch);
      watch.start();
    }
  }
}
