import { attemptWithin } from './attempt.ts';
import { noteTurn, ownTurn } from './loop-turns.ts';

/** The work did not end in time. V8 ended it, wherever it was: no `catch` and no `finally` within the work has run. */
export class Overrun extends Error {
  /** `some`: other work has taken too long in the last 2 s. */
  readonly others: 'some' | 'none';

  constructor(others: 'some' | 'none') {
    super();
    this.others = others;
  }
}

/**
 * The work was ended because other processes had the processor: it gets another attempt, with this many times the limit. Each
 * is twice as long as the one before, which had less than half of a limit of processor time: so no attempt takes much more of it
 * than the limit.
 */
const attempts = [1, 2, 4, 8, 16];

/** What work takes. `little`: it took little the last time, so it begins at once. Otherwise it waits for a turn of its own. */
export type Cost = 'little' | 'unknown';

/** Work that takes this part of the limit costs little. */
export const little = 1 / 4;

/** One key can make many templates wrong: for some time after one that took too long, the others get no more than they usually take. */
const warnedForMs = 2_000;
let warnedUntilMs = 0;

/**
 * Runs synchronous work and has V8 end it after `limitMs`: also within a regular expression, a sort or a compilation. Only
 * single native operations, such as the joining of a list, end first. Throws {@link Overrun}. What the
 * work had begun to change stays as it was at that moment: it may change nothing that outlives it.
 *
 * `again: 'once'`: if no other work has taken too long in the last 2 s, this work may take as long once more: a garbage collection or
 * another program may have taken the time.
 */
export async function runWithin<T>(input: {
  readonly limitMs: number;
  readonly cost: Cost;
  readonly work: () => T;
  readonly again?: 'once' | 'never';
}): Promise<T> {
  const { limitMs, cost, work, again = 'never' } = input;
  const shortMs = cost === 'little' ? Math.ceil(limitMs * little) : limitMs;
  try {
    if (cost === 'unknown' || isWarned()) return await runAttempts({ limitMs: shortMs, turn: 'own', work });
    return await runAttempts({ limitMs, turn: 'this', work });
  } catch (thrown) {
    if (!(thrown instanceof Overrun) || again === 'never' || thrown.others === 'some') throw thrown;
    return runAttempts({ limitMs: shortMs, turn: 'own', work });
  }
}

async function runAttempts<T>(input: {
  readonly limitMs: number;
  readonly turn: 'this' | 'own';
  readonly work: () => T;
}): Promise<T> {
  const { limitMs, turn, work } = input;
  for (const times of attempts) {
    if (turn === 'own' || times > 1) await ownTurn();
    const [before, startedMs] = [process.cpuUsage(), performance.now()];
    const outcome = attemptWithin(limitMs * times, work);
    noteTurn(startedMs);
    if (outcome !== undefined) return outcome.value;
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1_000 > limitMs / 2) break;
  }
  // Before anything else runs, so that the others know it.
  const others = isWarned() ? 'some' : 'none';
  warnedUntilMs = performance.now() + warnedForMs;
  throw new Overrun(others);
}

function isWarned(): boolean {
  return performance.now() < warnedUntilMs;
}
