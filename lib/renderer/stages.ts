import { performance } from 'node:perf_hooks';

const renderStages = ['rendered', 'moved', 'checked', 'swapped', 'reloaded', 'verified'] as const;
export type RenderStage = (typeof renderStages)[number];

/** When a run reached each stage: milliseconds of `performance.now()`. */
export type StageTimes = { readonly [S in RenderStage]?: number };

export class StageClock {
  readonly #times: { [S in RenderStage]?: number } = {};
  readonly #reached = { moved: Promise.withResolvers<void>(), swapped: Promise.withResolvers<void>() };

  reached(stage: RenderStage): void {
    this.#times[stage] = performance.now();
    if (stage === 'moved' || stage === 'swapped') this.#reached[stage].resolve();
  }

  /** Resolves when HAProxy's servers have moved, or when the file has its name. */
  until(stage: 'moved' | 'swapped'): Promise<void> {
    return this.#reached[stage].promise;
  }

  get times(): StageTimes {
    return { ...this.#times };
  }
}
