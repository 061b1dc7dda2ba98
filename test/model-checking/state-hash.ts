import type { MasterRecord } from '../../lib/model/record.ts';
import type { Bridge, Sentinel, State } from './state.ts';

/** A short text for a state: two states that can go on differently have different texts. */
export function stateHash(state: State): string {
  const nodes = Object.values(state.nodes).map(({ up, role }) => (up ? '' : '!') + role[0]);
  return [
    nodes.join(''),
    state.sentinels.map(sentinelText).join(' '),
    state.bridges.map(bridgeText).join(' '),
    `${recordText(state.consul.record)}${state.consul.up ? '' : '!'}${freshness(state)}`,
    Object.values(state.budget).join(''),
    state.selections.join(','),
    state.published.join(','),
  ].join('|');
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
    record === undefined ? '-' : recordText(record),
  );
  const waits = lagging === undefined ? '' : `${lagging.master}${lagging.epoch}`;
  const asked = staleMasters === undefined ? '' : `${staleMasters.version}${staleMasters.masters.join('')}`;
  return [...records, abandonedEpoch ?? '', waits, deaf.join(';'), asked].join(',');
}

const texts = new WeakMap<MasterRecord, string>();

function recordText(record: MasterRecord): string {
  const known = texts.get(record);
  if (known !== undefined) return known;
  const { generation, epoch, phase, master, previous, replicas } = record;
  const last = (host: string) => host.split('.')[3] ?? '';
  const others = replicas.map(({ host }) => last(host)).sort();
  const text = `${generation}/${epoch}${phase[0]}${last(master.host)}<${last(previous?.host ?? '')}:${others.join('')}`;
  texts.set(record, text);
  return text;
}
