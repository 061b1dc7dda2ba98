import { majorityOf } from '../../lib/model/epoch.ts';
import { announced, type Failover, type Letter, replace, type Sentinel, type State, spend } from './state.ts';

/** A step that may happen next, and the state after it. */
export interface Move {
  readonly name: string;
  readonly to: State;
}

/** Everything that Redis and Sentinel may do next, without faults. After sentinel.c of Redis 7. */
export function sentinelMoves(state: State): readonly Move[] {
  return state.sentinels.flatMap((sentinel, i) => (sentinel.up ? movesOf(state, i, sentinel) : []));
}

function movesOf(state: State, i: number, sentinel: Sentinel): readonly Move[] {
  return [
    ...start(state, i, sentinel),
    ...(sentinel.failover === undefined ? [] : lead(state, i, { ...sentinel, failover: sentinel.failover })),
    ...greet(state, i, sentinel),
    ...correct(state, i, sentinel),
  ];
}

/** sentinelStartFailover: by O_DOWN, for a master that is dead or answers as a replica, or by an order. */
function start(state: State, i: number, sentinel: Sentinel): readonly Move[] {
  const { budget } = state;
  const newerEpoch = state.sentinels.some(({ up, current }) => up && current > sentinel.current);
  const busy = state.sentinels.some(({ up, failover }) => up && failover !== undefined);
  if (sentinel.failover !== undefined || budget.elections === 0) return [];
  const node = state.nodes[sentinel.master];
  const down = node === undefined || !node.up || node.role !== 'master';
  // SENTINEL FAILOVER asks for no votes: two at once can share an epoch, and no observer can repair that.
  if (!down && (busy || newerEpoch)) return [];
  const epoch = sentinel.current + 1;
  const failover: Failover = { stage: down ? 'trying' : 'elected', epoch };
  const voted = down ? sentinel.voted : Math.max(sentinel.voted, epoch);
  const next = { ...sentinel, current: epoch, voted, failover };
  // The others learn the new epoch by hello messages. Without them they could be elected for the same epoch meanwhile.
  const others = state.sentinels.map((other, k) =>
    down || k === i
      ? other
      : { ...other, current: Math.max(other.current, epoch), voted: Math.max(other.voted, epoch) },
  );
  return [
    {
      name: `S${i} ${down ? 'tries' : 'is ordered'} @${epoch}`,
      to: { ...state, budget: spend(budget, 'elections'), sentinels: replace(others, i, next) },
    },
  ];
}

/** sentinelFailoverStateMachine. */
function lead(state: State, i: number, sentinel: Sentinel & { failover: Failover }): readonly Move[] {
  const { failover } = sentinel;
  const { selected, epoch } = failover;
  const put = (name: string, next: Sentinel, rest: Partial<State> = {}): Move => ({
    name: `S${i} ${name} @${epoch}`,
    to: { ...state, sentinels: replace(rest.sentinels ?? state.sentinels, i, next), ...without(rest) },
  });
  const { failover: _, ...idle } = sentinel;
  const aborts =
    failover.stage === 'seen' || state.budget.aborts === 0
      ? []
      : [put('aborts', idle, { budget: spend(state.budget, 'aborts') })];
  switch (failover.stage) {
    case 'trying':
      return [...aborts, ...elect(state, i, sentinel)];
    case 'elected': {
      const candidates = letters(state).filter((letter) => letter !== sentinel.master && state.nodes[letter]?.up);
      if (candidates.length === 0) return [put('finds no replica', idle)];
      const chosen = candidates.map((letter) =>
        put(
          `selects ${letter}`,
          { ...sentinel, failover: { stage: 'selected', epoch, selected: letter } },
          {
            selections: [...new Set([...state.selections, `${epoch}:${letter}`])].sort(),
          },
        ),
      );
      return [...aborts, ...chosen];
    }
    case 'selected': {
      const node = selected === undefined ? undefined : state.nodes[selected];
      if (selected === undefined || node?.up !== true) return aborts;
      const nodes = { ...state.nodes, [selected]: { ...node, role: 'master' as const } };
      return [
        ...aborts,
        put(`promotes ${selected}`, { ...sentinel, failover: { ...failover, stage: 'sent' } }, { nodes }),
      ];
    }
    case 'sent': {
      const node = selected === undefined ? undefined : state.nodes[selected];
      if (node?.up !== true || node.role !== 'master') return aborts;
      const seen = { ...sentinel, configEpoch: epoch, failover: { ...failover, stage: 'seen' as const } };
      return [...aborts, put(`sees ${selected} promoted`, seen)];
    }
    case 'seen':
      return [
        put('switches', { ...idle, master: selected ?? idle.master }),
        ...letters(state)
          .filter((letter) => letter !== selected && state.nodes[letter]?.up && state.nodes[letter]?.role !== selected)
          .map((letter) =>
            put(`points ${letter} at ${selected}`, sentinel, { nodes: pointed(state, letter, selected ?? letter) }),
          ),
      ];
  }
}

/** The votes come at once. Another Sentinel's attempt in between is a move of its own. */
function elect(state: State, i: number, sentinel: Sentinel & { failover: Failover }): readonly Move[] {
  const { epoch } = sentinel.failover;
  const votes = (other: Sentinel, k: number) => other.up && other.voted < epoch && (k === i || other.current <= epoch);
  const voters = state.sentinels.filter(votes).length;
  if (!votes(sentinel, i) || voters < majorityOf(state.sentinels.length)) return [];
  const sentinels = state.sentinels.map((other, k) =>
    votes(other, k) ? { ...other, voted: epoch, current: Math.max(other.current, epoch) } : other,
  );
  const own = sentinels[i] ?? sentinel;
  const to = { ...state, sentinels: replace(sentinels, i, { ...own, failover: { stage: 'elected' as const, epoch } }) };
  return [{ name: `S${i} is elected @${epoch}`, to }];
}

/** sentinelProcessHelloMessage. */
function greet(state: State, i: number, sentinel: Sentinel): readonly Move[] {
  const { master, epoch } = announced(sentinel);
  return state.sentinels.flatMap((other, k) => {
    if (k === i || !other.up || (other.configEpoch >= epoch && other.current >= sentinel.current)) return [];
    const current = Math.max(other.current, sentinel.current);
    if (other.configEpoch >= epoch) {
      return [
        { name: `S${i} greets S${k}`, to: { ...state, sentinels: replace(state.sentinels, k, { ...other, current }) } },
      ];
    }
    const { failover, ...idle } = other;
    const reset: Sentinel = other.master !== master || failover === undefined ? idle : other;
    const next = { ...reset, current, master, configEpoch: epoch };
    // A leader that receives a newer epoch of the master that it replaces takes the epoch, and ends its own failover at it
    // (the address does not differ, so nothing is reset): then Sentinel itself names the replica at that epoch.
    const confused = reset.failover?.stage === 'seen' ? [`${epoch}:${reset.failover.selected}`] : [];
    const selections = [...new Set([...state.selections, ...confused])].sort();
    return [
      {
        name: `S${i} greets S${k} with ${master}@${epoch}`,
        to: { ...state, selections, sentinels: replace(state.sentinels, k, next) },
      },
    ];
  });
}

/** `+convert-to-slave` and `+fix-slave-config` (sentinelRefreshInstanceInfo): only while the master looks sane. */
function correct(state: State, i: number, sentinel: Sentinel): readonly Move[] {
  const master = state.nodes[sentinel.master];
  if (master?.up !== true || master.role !== 'master') return [];
  return letters(state)
    .filter((letter) => {
      const node = state.nodes[letter];
      const promoting = sentinel.failover?.selected === letter;
      return letter !== sentinel.master && !promoting && node?.up === true && node.role !== sentinel.master;
    })
    .filter(() => sentinel.failover === undefined)
    .map((letter) => ({
      name: `S${i} converts ${letter} to ${sentinel.master}`,
      to: { ...state, nodes: pointed(state, letter, sentinel.master) },
    }));
}

export function pointed(state: State, letter: Letter, master: Letter): State['nodes'] {
  const node = state.nodes[letter];
  return node === undefined ? state.nodes : { ...state.nodes, [letter]: { ...node, role: master } };
}

export function letters(state: State): readonly Letter[] {
  return Object.keys(state.nodes) as Letter[];
}

function without({ sentinels: _, ...rest }: Partial<State>): Partial<State> {
  return rest;
}
