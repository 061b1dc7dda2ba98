import { type Address, formatAddress } from '../../../lib/model/address.ts';
import type { BridgeWord } from './bridge.ts';
import type { Named, RecordObserver } from './observers.ts';
import { demotionsOf, type LostWrite } from './rules.ts';
import type { Field } from './strike.ts';

/** `atMs`: milliseconds since 1970. */
export interface Moment {
  readonly atMs: number;
  readonly who: string;
  readonly what: string;
}

/** Everything that was observed in a round, in order of time, one line each, below the addresses of the servers. */
export function writeStory(seen: {
  readonly field: Field;
  readonly notes: readonly Moment[];
  readonly words: readonly BridgeWord[];
  readonly named: readonly Named[];
  readonly records: RecordObserver['seen'];
  readonly lost: readonly LostWrite[];
}): string {
  const { sentinels, recorders, shard, bridges } = seen.field;
  const show = ({
    generation,
    epoch,
    master,
    phase,
  }: {
    generation: number;
    epoch: number;
    master: Address;
    phase: string;
  }) => `${generation}/${epoch} ${formatAddress(master)} ${phase}`;
  const heard = recorders.flatMap(({ events }, i) =>
    events
      .filter(({ channel }) => !/^\+(sentinel|slave|monitor)$/.test(channel))
      .map(({ atMs, channel, payload }) => ({
        atMs,
        who: sentinels[i]?.name ?? 'restarted sentinel',
        what: `${channel} ${payload}`,
      })),
  );
  const reported = seen.words.flatMap((word): Moment[] => {
    const { id: who, atMs } = word;
    if (word.kind === 'started') return [{ who, atMs, what: 'started' }];
    if (word.kind === 'measured') return [];
    if (word.kind === 'stalled') return [{ who, atMs, what: `did not run for ${word.untilMs - atMs} ms` }];
    if (word.kind !== 'ran') return [{ who, atMs, what: `${word.kind} ${show(word.record)}` }];
    if (word.outcome === 'unchanged') return [];
    const wrote = word.written === undefined ? '' : ` wrote ${show(word.written.record)} @${word.written.index}`;
    return [{ who, atMs, what: `${word.loop} ${word.outcome}: ${word.summary}${wrote}` }];
  });
  const moments: Moment[] = [
    ...seen.notes,
    ...heard,
    ...reported,
    ...seen.named.map(({ atMs, master }) => ({ atMs, who: 'majority', what: master })),
    ...seen.records.map(({ atMs, record, index }) => ({
      atMs,
      who: 'Consul',
      what: `${show(record)} @${index}`,
    })),
    ...demotionsOf(shard.servers).map(({ atMs, node, master, by }) => ({
      atMs,
      who: node,
      what: `REPLICAOF ${master} from ${by}`,
    })),
    ...ranges(seen.lost).map(({ atMs, what }) => ({ atMs, who: 'LOST', what })),
  ];
  const lines = moments
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, who, what }) => `${new Date(atMs).toISOString().slice(11, 23)} ${who.padEnd(14)} ${what}`);
  const nodes = [
    ...shard.servers.map(({ name, address }) => `${name} ${formatAddress(address)}`),
    ...sentinels.map(({ name, address }) => `${name} ${formatAddress(address)}`),
    ...bridges.map(({ id, host }) => `${id} ${host}`),
  ];
  return [...nodes, '', ...lines].join('\n');
}

/** Consecutive lost writes, one line each. */
function ranges(lost: readonly LostWrite[]): readonly { readonly atMs: number; readonly what: string }[] {
  const found: { atMs: number; untilMs: number; count: number; write: LostWrite }[] = [];
  for (const write of lost.toSorted((a, b) => a.atMs - b.atMs)) {
    const current = found.at(-1);
    if (current !== undefined && write.atMs - current.untilMs < 200 && current.write.at === write.at) {
      current.untilMs = write.atMs;
      current.count += 1;
    } else found.push({ atMs: write.atMs, untilMs: write.atMs, count: 1, write });
  }
  return found.map(({ atMs, untilMs, count, write }) => ({
    atMs,
    what: `${count} writes in ${Math.round(untilMs - atMs)} ms, acknowledged by ${write.at}; the majority named ${write.named}`,
  }));
}
