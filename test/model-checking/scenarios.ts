import { at, record } from '../bridge/plan/world.ts';
import type { Budget, Letter, State } from './state.ts';

const none: Budget = {
  elections: 0,
  aborts: 0,
  sentinelDeaths: 0,
  nodeDeaths: 0,
  returns: 0,
  deafness: 0,
  consulOutages: 0,
  bridgeDeaths: 0,
  blindLooks: 0,
};

/** A shard of `nodes` with A as its master at epoch 5, three Sentinels and `bridges` bridges that have read everything. */
export function calm(options: {
  readonly nodes: readonly Letter[];
  readonly bridges: number;
  readonly budget: Partial<Budget>;
}): State {
  const { nodes, bridges, budget } = options;
  const replicas = nodes.filter((letter) => letter !== 'A');
  const first = record('A', {
    epoch: 5,
    replicas: replicas.map((letter) => at(letter)),
    changedAt: 'now',
    changedBy: 'bridge',
  });
  return {
    nodes: Object.fromEntries(nodes.map((letter) => [letter, { up: true, role: letter === 'A' ? 'master' : 'A' }])),
    sentinels: [0, 1, 2].map(() => ({ up: true, master: 'A', configEpoch: 5, current: 5, voted: 5 })),
    bridges: Array.from({ length: bridges }, () => ({ remembered: first, deaf: [] })),
    consul: { record: first, index: 1, up: true },
    budget: { ...none, ...budget },
    selections: ['5:A', '5:A*'],
    published: ['1/5=A'],
  };
}

/** The Sentinels have failed over to B while no bridge ran: Consul is behind. */
export function missed(options: {
  readonly nodes: readonly Letter[];
  readonly bridges: number;
  readonly budget: Partial<Budget>;
}): State {
  const state = calm(options);
  return {
    ...state,
    nodes: Object.fromEntries(
      Object.keys(state.nodes).map((letter) => [letter, { up: true, role: letter === 'B' ? 'master' : 'B' }]),
    ),
    sentinels: state.sentinels.map((sentinel) => ({
      ...sentinel,
      master: 'B' as const,
      configEpoch: 6,
      current: 6,
      voted: 6,
    })),
    selections: ['5:A', '6:B'],
  };
}
