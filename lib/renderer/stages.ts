import { performance } from 'node:perf_hooks';

const renderStages = ['rendered', 'moved', 'checked', 'swapped', 'reloaded', 'verified'] as const;
export type RenderStage = (typeof renderStages)[number];

/** When a run reached each stage: milliseconds of `performance.now()`. */
export type StageTimes = { readonly [S in RenderStage]?: number };

export class StageClock {
  readonly #times: { [S in RenderStage]?: number } = {};

  reached(stage: RenderStage): void {
    this.#times[stage] = performance.now();
  }

  get times(): StageTimes {
    return { ...this.#times };
  }
}
