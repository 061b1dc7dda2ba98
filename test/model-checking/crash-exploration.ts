import { crashFaults, type Guard, judgingMoves } from './crash-moves.ts';
import { type CrashWorld, isHealed } from './crash-world.ts';

export interface CrashExploration {
  readonly states: number;
  /** The first broken rule, with the path to it. */
  readonly broken?: { readonly what: string; readonly path: readonly string[] };
}

/** Every state that is reachable, breadth first. `without`: a guard that is taken away. */
export function exploreCrash(start: CrashWorld, { without }: { readonly without?: Guard } = {}): CrashExploration {
  const states = [start];
  const parents: { readonly parent: number; readonly by: string }[] = [{ parent: -1, by: 'start' }];
  const known = new Set([JSON.stringify(start)]);
  const path = (index: number): readonly string[] =>
    index <= 0 ? [] : [...path(parents[index]?.parent ?? 0), parents[index]?.by ?? ''];
  for (let i = 0; i < states.length; i += 1) {
    const state = states[i] as CrashWorld;
    try {
      for (const { name, to } of [...judgingMoves(state, without), ...crashFaults(state)]) {
        const key = JSON.stringify(to);
        if (known.has(key)) continue;
        known.add(key);
        states.push(to);
        parents.push({ parent: i, by: name });
      }
      settleCrash(state, without);
    } catch (thrown) {
      const what = thrown instanceof Error ? thrown.message : String(thrown);
      return { states: states.length, broken: { what, path: path(i) } };
    }
  }
  return { states: states.length };
}

/** Without further faults, a master that is gone is failed over, and one that lives is left alone. Throws otherwise. */
function settleCrash(state: CrashWorld, without: Guard | undefined): void {
  let current = isHealed(state);
  for (let i = 0; i < 100; i += 1) {
    const [move] = judgingMoves(current, without);
    if (move === undefined) break;
    current = move.to;
    if (i === 99) throw new Error(`it never comes to rest: ${move.name}`);
  }
  const { master, failover, consul, bridges } = current;
  const canOrder = bridges.some(({ lacksRight }) => !lacksRight);
  if (master !== 'gone' || failover !== 'none' || !canOrder) return;
  // A note without an order keeps the bridges from ordering for failover-timeout: then Sentinel fails over by itself.
  if (consul.order.isRecent && current.mayBeClaimed) return;
  throw new Error('a dead master, and no order');
}
