import { compareVersions } from '../../lib/model/epoch.ts';
import type { MasterRecord } from '../../lib/model/record.ts';
import { letterOf } from './bridge-moves.ts';
import { type Bridge, type Letter, majorityView, type State } from './state.ts';

/** Throws if a step broke an invariant. */
export function checkStep(before: State, after: State): void {
  if (after.consul.record !== before.consul.record) checkRecord(before, after);
  for (const [b, bridge] of after.bridges.entries()) checkNode(before.bridges[b], bridge, { before, after });
}

/** Consul never holds an address that no leader selected, never an older record, never two addresses for one version. */
function checkRecord(before: State, after: State): void {
  const [old, now] = [before.consul.record, after.consul.record];
  const letter = letterOf(now.master.host);
  if (!after.selections.includes(`${now.epoch}:${letter}`)) {
    throw new Error(`published ${letter} at epoch ${now.epoch}, which no leader selected for it`);
  }
  if (compareVersions(now, old) < 0) throw new Error('the record became older');
  if (compareVersions(now, old) === 0 && !sameMaster(now, old)) throw new Error('one version, two masters');
  if (compareVersions(now, old) === 0 && old.phase === 'confirmed' && now.phase === 'promoted') {
    throw new Error('a confirmed record became unconfirmed');
  }
  const seen = after.published.slice(0, -1);
  const version = after.published.at(-1) ?? '';
  const twin = seen.find((other) => other.split('=')[0] === version.split('=')[0] && other !== version);
  if (twin !== undefined) throw new Error(`${twin} and ${version}`);
  checkFlapping(after);
}

/** A selection can be followed, given up, and adopted by the majority later: not more. */
function checkFlapping({ published, selections, consul }: State): void {
  const moves = published.filter(
    (version, i) => i > 0 && version.split('=')[1] !== published[i - 1]?.split('=')[1],
  ).length;
  // What was selected before the model begins does not count.
  const selected = selections.filter((selection) => !selection.startsWith('0')).length - initialSelections;
  const missed = 1;
  if (moves > 3 * Math.max(selected, 0) + missed)
    throw new Error(`${moves} moves for ${selected} selections: ${published}`);
  if (consul.record.generation > 1 + Math.max(selected, 0)) throw new Error(`generation ${consul.record.generation}`);
}

const initialSelections = 2;

/** The renderers of a bridge's node see the newer of Consul's record and the bridge's decision: never an older one. */
function checkNode(old: Bridge | undefined, now: Bridge, { before, after }: { before: State; after: State }): void {
  if (old === undefined || (old.decided !== undefined && now.decided === undefined)) return;
  const [was, is] = [visible(old, before), visible(now, after)];
  if (compareVersions(is, was) < 0) throw new Error('traffic on a node went back to an older decision');
  if (compareVersions(is, was) === 0 && !sameMaster(is, was))
    throw new Error('a node disagrees with Consul at one version');
}

export function visible(bridge: Bridge, state: State): MasterRecord {
  const { record } = state.consul;
  return bridge.decided !== undefined && compareVersions(bridge.decided, record) > 0 ? bridge.decided : record;
}

/** REPLICAOF: never before a confirmation, never at the record's master, never at a replica that is being promoted. */
export function checkDemotion(
  state: State,
  { bridge, target, master }: { readonly bridge: Bridge; readonly target: Letter; readonly master: Letter },
): void {
  if (bridge.remembered?.phase !== 'confirmed') throw new Error('REPLICAOF before the record was confirmed');
  if (letterOf(bridge.remembered.master.host) === target) throw new Error(`REPLICAOF at the record's master ${target}`);
  const leader = state.sentinels.find(({ up, failover }) => up && failover?.selected === target);
  if (leader !== undefined) throw new Error(`REPLICAOF at ${target} while a leader promotes it`);
  const majority = majorityView(state);
  if (majority?.master === target)
    throw new Error(`REPLICAOF at ${target}, which is master by the Sentinels' majority`);
  if (majority?.master !== master) throw new Error(`${target} was pointed at ${master}, not at ${majority?.master}`);
}

function sameMaster(a: MasterRecord, b: MasterRecord): boolean {
  return a.master.host === b.master.host && a.master.port === b.master.port;
}
