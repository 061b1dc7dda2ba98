import type { MasterRecord } from '../../lib/model/record.ts';
import type { Bridge, Sentinel, State } from './state.ts';

/** A short text for a state: two states with different futures have different texts. */
export function stateHash(state: State): string {
  const nodes = Object.values(state.nodes).map(({ up, role }) => (up ? '' : '!') + role[0]);
  return [
    nodes.join(''),
    state.sentinels.map((sentinel) => keep(sentinel, sentinelText)).join(' '),
    state.bridges.map((bridge) => keep(bridge, bridgeText)).join(' '),
    `${keep(state.consul.record, recordText)}${state.consul.up ? '' : '!'}${freshness(state)}`,
    Object.values(state.budget).join(''),
    state.selections.join(','),
    state.published.join(','),
  ].join('|');
}

/** Whether a state stays the same, as {@link stateHash} sees it, when one of its bridges is replaced. */
export function isSameBridge({ consul }: State, before: Bridge, after: Bridge): boolean {
  const isFresh = ({ pending }: Bridge) => pending?.index === consul.index;
  return keep(before, bridgeText) === keep(after, bridgeText) && isFresh(before) === isFresh(after);
}

/** Of an index, only this counts: whether a transaction under way still matches it. */
function freshness({ bridges, consul }: State): string {
  return bridges.map(({ pending }) => (pending?.index === consul.index ? '=' : '~')).join('');
}

function sentinelText({ up, master, configEpoch, current, voted, failover }: Sentinel): string {
  const leads = failover === undefined ? '' : `${failover.stage}${failover.epoch}${failover.selected ?? ''}`;
  return `${up ? '' : '!'}${master}${configEpoch}.${current}.${voted}${leads}`;
}

function bridgeText({ remembered, decided, abandonedEpoch, lagging, deaf, pending, staleMasters }: Bridge): string {
  const records = [remembered, decided, pending?.record].map((record) =>
    record === undefined ? '-' : keep(record, recordText),
  );
  const waits = lagging === undefined ? '' : `${lagging.master}${lagging.epoch}`;
  const asked = staleMasters === undefined ? '' : `${staleMasters.version}${staleMasters.masters.join('')}`;
  return [...records, abandonedEpoch ?? '', waits, deaf.join(';'), asked].join(',');
}

// Most parts of a state are parts of the state before it.
const texts = new WeakMap<object, string>();

function keep<T extends object>(part: T, write: (part: T) => string): string {
  const known = texts.get(part);
  if (known !== undefined) return known;
  const text = write(part);
  texts.set(part, text);
  return text;
}

function recordText({ generation, epoch, phase, master, previous, replicas }: MasterRecord): string {
  const last = (host: string) => host.split('.')[3] ?? '';
  const others = replicas.map(({ host }) => last(host)).sort();
  return `${generation}/${epoch}${phase[0]}${last(master.host)}<${last(previous?.host ?? '')}:${others.join('')}`;
}
