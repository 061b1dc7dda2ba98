import { type BridgeRules, bridgeMoves } from './bridge-moves.ts';
import { faultMoves } from './fault-moves.ts';
import { checkDemotion, checkStep } from './invariants.ts';
import { type Move, sentinelMoves } from './sentinel-moves.ts';
import { settle } from './settlement.ts';
import type { State } from './state.ts';
import { stateHash } from './state-hash.ts';

export interface Exploration {
  readonly states: number;
  readonly moves: number;
  /** How many states were followed to their end, which is the master of the Sentinels' majority. */
  readonly settled: number;
  /** Whether every reachable state was visited. */
  readonly complete: boolean;
  /** The first broken invariant, with the path to it. */
  readonly broken?: { readonly what: string; readonly path: readonly string[] };
}

export interface ExplorationOptions {
  readonly follow: BridgeRules['follow'];
  readonly without?: BridgeRules['without'];
  /** Default: all of them. */
  readonly maxStates?: number;
  /** Every n-th state is followed to its end. Default 1. */
  readonly settleEvery?: number;
}

/** Every state that is reachable from `start`, breadth first: the first broken invariant has the shortest path. */
export function explore(start: State, options: ExplorationOptions): Exploration {
  const { follow, without, maxStates = Number.POSITIVE_INFINITY, settleEvery = 1 } = options;
  const states: State[] = [start];
  const parents: { readonly parent: number; readonly by: string }[] = [{ parent: -1, by: 'start' }];
  const known = new Set([stateHash(start)]);
  let moves = 0;
  let settled = 0;
  const path = (index: number): readonly string[] => {
    const names: string[] = [];
    for (let i = index; i > 0; i = parents[i]?.parent ?? 0) names.push(parents[i]?.by ?? '');
    return names.reverse();
  };
  const rules: BridgeRules = { follow, onDemote: checkDemotion, ...(without === undefined ? {} : { without }) };
  for (let i = 0; i < states.length; i += 1) {
    const state = states[i] as State;
    let by: Move | undefined;
    try {
      for (const move of [...sentinelMoves(state), ...faultMoves(state), ...bridgeMoves(state, rules)]) {
        by = move;
        moves += 1;
        const key = stateHash(move.to);
        if (known.has(key)) continue;
        checkStep(state, move.to);
        if (states.length >= maxStates) continue;
        known.add(key);
        states.push(move.to);
        parents.push({ parent: i, by: move.name });
      }
      by = undefined;
      if (i % settleEvery === 0) {
        settle(state, rules);
        settled += 1;
      }
    } catch (thrown) {
      const what = thrown instanceof Error ? thrown.message : String(thrown);
      const broken = { what, path: [...path(i), ...(by === undefined ? [] : [by.name])] };
      return { states: states.length, moves, settled, complete: false, broken };
    }
    // A visited state is needed only for its place in the paths.
    states[i] = undefined as unknown as State;
  }
  return { states: states.length, moves, settled, complete: states.length < maxStates };
}
