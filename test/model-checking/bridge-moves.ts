import { assessEvidence, former, planFence } from '../../lib/bridge/fencing/plan.ts';
import { completeRecord, type Decision, type FollowMode, type Situation } from '../../lib/bridge/plan/decision.ts';
import { decide } from '../../lib/bridge/plan/failover.ts';
import { compareVersions } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import type { RoleAnswer, SentinelView } from '../../lib/model/sentinel.ts';
import { at } from '../bridge/plan/world.ts';
import { letters, type Move, pointed } from './sentinel-moves.ts';
import { type Bridge, type Letter, replace, type State, spend } from './state.ts';
import { isSameBridge } from './state-hash.ts';

/** A bridge as lib/bridge/reconciler.ts runs it, with the real decisions between its reading and its writing. */
export interface BridgeRules {
  readonly follow: FollowMode;
  /** A guard that a test takes away, to see that something breaks. */
  readonly without?: 'check-and-set' | 'evidence';
  /** Called for each REPLICAOF before it is carried out. */
  readonly onDemote: (
    state: State,
    demotion: { readonly bridge: Bridge; readonly target: Letter; readonly master: Letter },
  ) => void;
}

export function bridgeMoves(state: State, rules: BridgeRules): readonly Move[] {
  return state.bridges.flatMap((bridge, b) => [
    ...looks(state, b, rules),
    ...commit(state, b, rules),
    ...askStaleMasters(state, b, bridge),
    ...fence(state, b, rules),
  ]);
}

interface Look {
  readonly seen: readonly number[];
  readonly complete: boolean;
  /** Whether the waits for a confirmation and for a rebase are over. */
  readonly repairDelay: 'lasts' | 'over';
}

function looks(state: State, b: number, rules: BridgeRules): readonly Move[] {
  const up = state.sentinels.flatMap((sentinel, i) => (sentinel.up ? [i] : []));
  const blind = state.budget.blindLooks > 0 ? up.map((i) => [i]) : [];
  const choices: Look[] = [
    ...up.map((i) => ({ seen: [i], complete: false, repairDelay: 'lasts' as const })),
    { seen: up, complete: true, repairDelay: 'lasts' },
    { seen: up, complete: true, repairDelay: 'over' },
    ...blind.map((seen) => ({ seen, complete: true, repairDelay: 'lasts' as const })),
  ];
  return choices.flatMap((choice) => {
    const to = look(state, b, { ...choice, follow: rules.follow });
    if (to === state) return [];
    const isBlind = choice.complete && choice.seen.length < up.length;
    const how = choice.complete ? 'surveys' : 'asks';
    const budget = isBlind ? spend(state.budget, 'blindLooks') : state.budget;
    return [
      { name: `bridge ${b} ${how} ${choice.seen.map((i) => `S${i}`)} ${choice.repairDelay}`, to: { ...to, budget } },
    ];
  });
}

/** One run: the bridge reads everything, decides, and sends a write. */
function look(state: State, b: number, options: Look & { readonly follow: FollowMode }): State {
  const before = state.bridges[b];
  if (before === undefined || before.pending !== undefined) return state;
  const held = state.consul.up ? state.consul : undefined;
  // Without Consul a bridge decides on its last reading; a bridge without a reading decides nothing.
  if (held === undefined && before.remembered === undefined) return state;
  const bridge = held === undefined ? before : remember(before, held.record);
  const { decision, lagging } = decideOn(state, bridge, options);
  const { lagging: _, ...rest } = bridge;
  const known = lagging === undefined ? undefined : { master: letterOf(lagging.master.host), epoch: lagging.epoch };
  const kept = options.complete ? { ...rest, ...(known === undefined ? {} : { lagging: known }) } : bridge;
  if (decision.kind !== 'publish') return settleOn(state, b, { before, after: kept });
  const record = completeRecord(decision.draft, { name: 'm', changedAt: 'now', changedBy: 'bridge' });
  const turning = decision.cause === 'failover';
  const decided = turning && newer(record, kept.decided) ? record : kept.decided;
  const after = { ...kept, ...(decided === undefined ? {} : { decided }) };
  const index = state.consul.index;
  return settleOn(state, b, { before, after: held === undefined ? after : { ...after, pending: { record, index } } });
}

function decideOn(state: State, bridge: Bridge, options: Look & { readonly follow: FollowMode }) {
  const { remembered, decided, abandonedEpoch } = bridge;
  const record = state.consul.up ? state.consul.record : remembered;
  const target = remembered === undefined ? undefined : letterOf(remembered.master.host);
  const role = options.complete && target !== undefined ? roleOf(state, target) : undefined;
  const lagging =
    bridge.lagging === undefined
      ? undefined
      : {
          master: at(bridge.lagging.master),
          epoch: bridge.lagging.epoch,
          sinceMs: options.repairDelay === 'over' ? -1e9 : 0,
        };
  const situation: Situation = {
    held: record === undefined ? { kind: 'absent' } : { kind: 'present', record, modifyIndex: state.consul.index },
    remembered,
    views: options.seen.map((i) => viewOf(state, bridge, i)),
    knownSentinels: state.sentinels.length,
    complete: options.complete,
    role,
    follow: options.follow,
    lagging,
    nowMs: 0,
    rebaseAfterMs: 10_000,
    ...(decided === undefined ? {} : { decided }),
    ...(abandonedEpoch === undefined ? {} : { abandonedEpoch }),
  };
  let decision: Decision = decide(situation);
  if (decision.kind === 'ask-role') {
    const asked = roleOf(state, letterOf(decision.address.host));
    const again = {
      ...situation,
      role: asked,
      otherRoles: role === undefined ? [] : [role],
      lagging: decision.lagging ?? lagging,
    };
    decision = decide(again);
  }
  return { decision, lagging: 'lagging' in decision ? decision.lagging : undefined };
}

/** The transaction arrives: compare-and-set on the record. */
function commit(state: State, b: number, { without }: BridgeRules): readonly Move[] {
  const bridge = state.bridges[b];
  if (bridge?.pending === undefined) return [];
  const { pending, ...rest } = bridge;
  if (!state.consul.up) {
    return [{ name: `bridge ${b} gets no answer`, to: { ...state, bridges: replace(state.bridges, b, rest) } }];
  }
  if (state.consul.index !== pending.index && without !== 'check-and-set') {
    const to = { ...state, bridges: replace(state.bridges, b, remember(rest, state.consul.record)) };
    return [{ name: `bridge ${b} is fenced`, to }];
  }
  const { record } = pending;
  const version = `${record.generation}/${record.epoch}=${letterOf(record.master.host)}`;
  const to: State = {
    ...state,
    consul: { ...state.consul, record, index: state.consul.index + 1 },
    bridges: replace(state.bridges, b, remember(rest, record)),
    published: state.published.at(-1) === version ? state.published : [...state.published, version],
  };
  return [{ name: `bridge ${b} writes ${version} ${record.phase}`, to }];
}

function askStaleMasters(state: State, b: number, bridge: Bridge): readonly Move[] {
  const { remembered } = bridge;
  if (remembered?.phase !== 'confirmed' || bridge.staleMasters !== undefined) return [];
  const masters = former(remembered)
    .map(({ host }) => letterOf(host))
    .filter((letter) => roleOf(state, letter).role === 'master');
  if (masters.length === 0) return [];
  const staleMasters = { version: versionOf(remembered), masters };
  return [
    {
      name: `bridge ${b} finds ${masters}`,
      to: { ...state, bridges: replace(state.bridges, b, { ...bridge, staleMasters }) },
    },
  ];
}

/** All Sentinels answer, and REPLICAOF follows within a round trip: one moment for Sentinel's timer of 100 ms. */
function fence(state: State, b: number, rules: BridgeRules): readonly Move[] {
  const bridge = state.bridges[b];
  const { remembered, staleMasters, ...rest } = bridge ?? { deaf: [] };
  if (bridge === undefined || remembered === undefined || staleMasters === undefined) return [];
  const done = { ...rest, remembered };
  const views = state.sentinels.flatMap(({ up }, i) => (up ? [viewOf(state, bridge, i)] : []));
  const consul = state.consul.up ? 'reachable' : 'unreachable';
  const given = { record: remembered, views, knownSentinels: state.sentinels.length, consul } as const;
  const evidence = rules.without === 'evidence' ? 'proven' : assessEvidence(given);
  const roles: RoleAnswer[] = staleMasters.masters.map((letter) => ({ address: at(letter), role: 'master' }));
  let nodes = state.nodes;
  for (const action of planFence({
    mode: 'demote',
    record: remembered,
    roles,
    evidence,
    views,
    pausedForMs: new Map(),
  })) {
    if (staleMasters.version !== versionOf(remembered) || action.kind !== 'demote') continue;
    const target = letterOf(action.address.host);
    const master = letterOf(action.master.host);
    rules.onDemote(state, { bridge, target, master });
    if (nodes[target]?.up) nodes = pointed({ ...state, nodes }, target, master);
  }
  return [{ name: `bridge ${b} fences`, to: { ...state, nodes, bridges: replace(state.bridges, b, done) } }];
}

export function letterOf(host: string): Letter {
  return String.fromCharCode('A'.charCodeAt(0) + Number(host.split('.')[3]) - 1) as Letter;
}

function versionOf({ generation, epoch }: MasterRecord): string {
  return `${generation}/${epoch}`;
}

/** As MasterMemory does. */
function remember(bridge: Bridge, record: MasterRecord): Bridge {
  const { remembered, decided } = bridge;
  if (remembered !== undefined && compareVersions(record, remembered) < 0) return bridge;
  const last = decided !== undefined && newer(decided, remembered) ? decided : remembered;
  if (last === undefined || record.generation <= last.generation) return { ...bridge, remembered: record };
  const { abandonedEpoch: _, ...rest } = bridge;
  return { ...rest, remembered: record, ...(last.phase === 'promoted' ? { abandonedEpoch: last.epoch } : {}) };
}

function newer(record: MasterRecord, than: MasterRecord | undefined): boolean {
  return than === undefined || compareVersions(record, than) > 0;
}

function settleOn(state: State, b: number, { before, after }: { before: Bridge; after: Bridge }): State {
  if (before === after || isSameBridge(state, before, after)) return state;
  return { ...state, bridges: replace(state.bridges, b, after) };
}

function roleOf(state: State, letter: Letter): RoleAnswer {
  const node = state.nodes[letter];
  const role = node?.up !== true ? 'unreachable' : node.role === 'master' ? 'master' : 'replica';
  return { address: at(letter), role };
}

function viewOf(state: State, bridge: Bridge, i: number): SentinelView {
  const sentinel = state.sentinels[i];
  if (sentinel === undefined) throw new Error(`there is no Sentinel ${i}`);
  const { master, configEpoch, failover } = sentinel;
  const heard = failover !== undefined && !bridge.deaf.includes(`${i}:${failover.epoch}`);
  const selected = failover?.selected === undefined ? undefined : at(failover.selected);
  const isUp = state.nodes[master]?.up === true;
  return {
    sentinelId: `s${i}`,
    sentinel: { host: `10.0.1.${i}`, port: 26379 },
    master: at(master),
    configEpoch,
    condition: failover !== undefined ? 'failover' : isUp ? 'up' : 'o_down',
    linked: isUp,
    quorum: 2,
    knownSentinels: state.sentinels.length,
    failoverTimeoutMs: 10_000,
    replicas: letters(state)
      .filter((letter) => letter !== master)
      .map((letter) => ({ address: at(letter), condition: 'up' as const })),
    ...(selected === undefined ? {} : { promoting: selected }),
    ...(selected !== undefined && failover?.stage === 'seen' ? { promotion: 'seen' as const } : {}),
    ...(selected !== undefined && heard && failover !== undefined
      ? { election: { epoch: failover.epoch, selected } }
      : {}),
  };
}
