import { letters, type Move } from './sentinel-moves.ts';
import { replace, type State, spend } from './state.ts';

/** Faults, each as often as the budget allows. */
export function faultMoves(state: State): readonly Move[] {
  return [...sentinelFaults(state), ...nodeFaults(state), ...consulFaults(state), ...bridgeFaults(state)];
}

/** A dead Sentinel forgets its failover, and keeps what it has flushed: config, epochs and votes (sentinelFlushConfig). */
function sentinelFaults(state: State): readonly Move[] {
  const { budget } = state;
  return state.sentinels.flatMap((sentinel, i) => {
    if (!sentinel.up) {
      const back = { ...sentinel, up: true };
      return [{ name: `S${i} comes back`, to: { ...state, sentinels: replace(state.sentinels, i, back) } }];
    }
    if (budget.sentinelDeaths === 0) return [];
    const { failover, ...idle } = sentinel;
    // The promoted replica is what is written to sentinel.conf from RECONF_SLAVES on (sentinelGetCurrentMasterAddress).
    const master = failover?.stage === 'seen' ? (failover.selected ?? idle.master) : idle.master;
    const dead = { ...idle, master, up: false };
    const to = { ...state, budget: spend(budget, 'sentinelDeaths'), sentinels: replace(state.sentinels, i, dead) };
    return [{ name: `S${i} dies`, to }];
  });
}

function nodeFaults(state: State): readonly Move[] {
  const { budget } = state;
  return letters(state).flatMap((letter) => {
    const node = state.nodes[letter];
    if (node === undefined) return [];
    const kind = node.up ? 'nodeDeaths' : 'returns';
    if (budget[kind] === 0) return [];
    const nodes = { ...state.nodes, [letter]: { ...node, up: !node.up } };
    return [
      { name: `${letter} ${node.up ? 'dies' : 'returns'}`, to: { ...state, nodes, budget: spend(budget, kind) } },
    ];
  });
}

function consulFaults(state: State): readonly Move[] {
  const { consul, budget } = state;
  if (!consul.up) return [{ name: 'Consul is back', to: { ...state, consul: { ...consul, up: true } } }];
  if (budget.consulOutages === 0) return [];
  const to = { ...state, consul: { ...consul, up: false }, budget: spend(budget, 'consulOutages') };
  return [{ name: 'Consul is lost', to }];
}

function bridgeFaults(state: State): readonly Move[] {
  const { budget } = state;
  return state.bridges.flatMap((bridge, b) => {
    const moves: Move[] = [];
    if (budget.bridgeDeaths > 0) {
      // The renderers of a bridge's node lose the bridge's own decision with it.
      const deaf = state.sentinels.flatMap(({ failover }, i) =>
        failover === undefined ? [] : [`${i}:${failover.epoch}`],
      );
      const to = { ...state, bridges: replace(state.bridges, b, { deaf }), budget: spend(budget, 'bridgeDeaths') };
      moves.push({ name: `bridge ${b} restarts`, to });
    }
    if (budget.deafness > 0) {
      for (const [i, { failover }] of state.sentinels.entries()) {
        const key = `${i}:${failover?.epoch}`;
        if (failover === undefined || bridge.deaf.includes(key)) continue;
        const next = { ...bridge, deaf: [...bridge.deaf, key] };
        const to = { ...state, bridges: replace(state.bridges, b, next), budget: spend(budget, 'deafness') };
        moves.push({ name: `bridge ${b} loses S${i} for a moment`, to });
      }
    }
    return moves;
  });
}
