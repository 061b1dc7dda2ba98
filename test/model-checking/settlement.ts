import { type BridgeRules, bridgeMoves, letterOf } from './bridge-moves.ts';
import { visible } from './invariants.ts';
import { type Move, sentinelMoves } from './sentinel-moves.ts';
import { majorityView, type State } from './state.ts';
import { stateHash } from './state-hash.ts';

/**
 * Without further faults, everything must end with the master of the Sentinels' majority. Throws otherwise. The exploration
 * checks the invariants of the steps on the way, where those steps are states themselves.
 */
export function settle(state: State, rules: BridgeRules): void {
  let current: State = { ...state, budget: noFaults, consul: { ...state.consul, up: true } };
  const sentinels = current.sentinels.map((sentinel) => ({ ...sentinel, up: true }));
  current = { ...current, sentinels };
  current = run(current, sentinelsMove, 200);
  current = run(current, (now) => bridgesMove(now, rules), 200);
  checkEnd(current);
}

const noFaults: State['budget'] = {
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

function run(start: State, next: (state: State) => Move | undefined, limit: number): State {
  let current = start;
  const last: string[] = [];
  for (let i = 0; i < limit; i += 1) {
    const to = next(current);
    if (to === undefined) return current;
    current = to.to;
    last.push(to.name);
    if (last.length > 8) last.shift();
  }
  throw new Error(`it never comes to rest: ${last.join(', ')}`);
}

/**
 * Failovers continue while they can, otherwise they end. Then the Sentinels exchange hello messages and correct replicas.
 */
function sentinelsMove(state: State): Move | undefined {
  const moves = sentinelMoves(state);
  // A leader ends its failover before others correct replicas, otherwise both would continue without end.
  const move =
    moves.find(({ name }) => name.includes('switches')) ??
    moves.find(({ name }) => !name.includes('converts')) ??
    moves[0];
  if (move !== undefined) return move;
  const stuck = state.sentinels.findIndex(({ failover }) => failover !== undefined && failover.stage !== 'seen');
  if (stuck === -1) return undefined;
  const sentinels = state.sentinels.map((sentinel, i) => {
    const { failover: _, ...idle } = sentinel;
    return i === stuck ? idle : sentinel;
  });
  return { name: `S${stuck} gives up`, to: { ...state, sentinels } };
}

function bridgesMove(state: State, rules: BridgeRules): Move | undefined {
  // The bridges ask again and again who answers as a master; the result does not matter here.
  const useful = ({ name }: Move) => !/ asks | finds | fences$/.test(name);
  const before = stateHash(state);
  for (const move of bridgeMoves(state, rules).filter(useful)) {
    if (stateHash(move.to) !== before) return move;
  }
  return undefined;
}

function checkEnd(state: State): void {
  const majority = majorityView(state);
  if (majority === undefined) throw new Error('the Sentinels have no majority');
  const { record } = state.consul;
  const target = state.nodes[majority.master];
  const works = target?.up === true && target.role === 'master';
  const letter = letterOf(record.master.host);
  const agrees = letter === majority.master && record.epoch === majority.epoch;
  // A dead target is published when it is newer, but begins no generation: Sentinel's next election decides.
  if (!agrees && works)
    throw new Error(`ends at ${letter}@${record.epoch}, the Sentinels at ${majority.master}@${majority.epoch}`);
  if (agrees && works && record.phase !== 'confirmed') throw new Error('ends unconfirmed, though the Sentinels agree');
  if (!works) return;
  for (const [b, bridge] of state.bridges.entries()) {
    const seen = visible(bridge, state);
    if (letterOf(seen.master.host) !== majority.master) {
      throw new Error(
        `traffic at bridge ${b} ends at ${letterOf(seen.master.host)}, the Sentinels at ${majority.master}`,
      );
    }
  }
}
