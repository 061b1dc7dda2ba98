import type { RoundResult } from './round.ts';

interface WriterTotal {
  readonly acknowledged: number;
  readonly lost: number;
}

export interface Summary {
  readonly seed: number;
  readonly rounds: number;
  readonly faults: number;
  /** Broken rules. */
  readonly violations: number;
  /** Rounds with a broken rule. */
  readonly broken: number;
  /** By the way to the master, of all shards. */
  readonly writers: Readonly<Record<string, WriterTotal>>;
}

/** Counts what a run found. */
export class Tally {
  readonly #seed: number;
  readonly #results: Pick<RoundResult, 'faults' | 'violations' | 'losses'>[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  get faults(): number {
    return this.summary.faults;
  }

  get broken(): number {
    return this.summary.broken;
  }

  get summary(): Summary {
    const results = this.#results;
    const writers: Record<string, WriterTotal> = {};
    for (const { writer, lostAtMs, acknowledged } of results.flatMap(({ losses }) => Object.values(losses).flat())) {
      const before = writers[writer] ?? { acknowledged: 0, lost: 0 };
      writers[writer] = { acknowledged: before.acknowledged + acknowledged, lost: before.lost + lostAtMs.length };
    }
    return {
      seed: this.#seed,
      rounds: results.length,
      faults: results.reduce((sum, { faults }) => sum + faults.length, 0),
      violations: results.reduce((sum, { violations }) => sum + violations.length, 0),
      broken: results.filter(({ violations }) => violations.length > 0).length,
      writers,
    };
  }

  add({ faults, violations, losses }: RoundResult): void {
    this.#results.push({ faults, violations, losses });
  }
}

/** A line; with its timeline, and how to repeat it, where a rule was broken. */
export function formatRound(
  { faults, violations, losses, timeline, tookMs }: RoundResult,
  at: { readonly round: number; readonly done: number; readonly wanted: number; readonly seed: number },
): string {
  const sign = violations.length === 0 ? 'ok    ' : 'BROKEN';
  const line = `${sign} round ${at.round} (${at.done}/${at.wanted} faults, ${tookMs} ms): ${faults.join('; ')}`;
  if (violations.length === 0) return line;
  const lost = Object.entries(losses).map(([shard, writers]) => {
    const counts = writers.map(({ writer, lostAtMs, acknowledged }) => `${writer} ${lostAtMs.length}/${acknowledged}`);
    return `  lost of ${shard}: ${counts.join(', ')}`;
  });
  const repeat = `npm run test:chaos -- --seed ${at.seed} --round ${at.round}`;
  return [
    line,
    ...violations.map((violation) => `  ! ${violation}`),
    ...lost,
    ...timeline.map((moment) => `  ${moment}`),
    `  this round alone: ${repeat}`,
  ].join('\n');
}

/** `seed 7: 42 faults in 21 rounds, 0 broken rules; lost writes: haproxy 0/9120, …`. */
export function formatSummary({ seed, rounds, faults, violations, broken, writers }: Summary): string {
  const lost = Object.entries(writers).map(([writer, total]) => `${writer} ${total.lost}/${total.acknowledged}`);
  const again = broken === 0 ? [] : [`everything again: npm run test:chaos -- --seed ${seed} --faults ${faults}`];
  const found = `${violations} broken rules in ${broken} rounds`;
  return [
    ...again,
    `seed ${seed}: ${faults} faults in ${rounds} rounds, ${found}; lost of acknowledged writes: ${lost.join(', ')}`,
  ].join('\n');
}
