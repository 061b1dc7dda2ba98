import { formatAddress } from '../../model/address.ts';
import type { Examination, ExaminedMaster, SentinelOpinion } from '../examination.ts';
import { type Fault, masterRule, type Rule, rule } from '../rule.ts';

/** Sentinel pings once a second, and asks a replica for its role once a second during a failover (sentinel.c). */
const shortestDownAfterMs = 500;
const longestDownAfterMs = 60_000;
const shortestFailoverMs = 3_000;

/** Whether the Sentinels act, and see and count the same. */
export const sentinelRules: readonly Rule[] = [
  rule({
    name: 'sentinel-cannot-reach',
    severity: 'critical',
    reads: ['sentinels', 'masters'],
    hint: 'During a failover, wait. Otherwise check the firewall, bind, sentinel auth-pass and sentinel-pass between them.',
    find: findUnseen,
  }),
  masterRule({
    name: 'sentinel-settings-differ',
    severity: 'warning',
    hint: 'SENTINEL SET {subject} SETTING MILLISECONDS, at every Sentinel.',
    find: ({ opinions }) => {
      const differing = [
        listValues('down-after-milliseconds', opinions, ({ downAfterMs }) => downAfterMs),
        listValues('failover-timeout', opinions, ({ failoverTimeoutMs }) => failoverTimeoutMs),
      ].flat();
      return differing.length === 0 ? undefined : `its Sentinels have different settings: ${differing.join('; ')}`;
    },
  }),
  rule({
    name: 'timeouts-unfit',
    severity: 'warning',
    reads: ['masters'],
    hint: 'SENTINEL SET {subject} down-after-milliseconds 5000, at every Sentinel.',
    find: ({ masters }) => masters.flatMap(findUnfitTimeouts),
  }),
];

/** A Sentinel sees something down that answers here: a firewall, bind, a password, an announced address. */
function findUnseen({ sentinels, masters }: Pick<Examination, 'sentinels' | 'masters'>): readonly Fault[] {
  const isDown = ({ condition }: { readonly condition: string }): boolean => /^[so]_down$/.test(condition);
  return masters.flatMap(({ name, opinions, instances }) => {
    const answering = new Set(
      [...sentinels, ...instances]
        .filter(({ state }) => state.kind === 'reached')
        .map(({ address }) => formatAddress(address)),
    );
    return opinions.flatMap(({ sentinel, master, condition, replicas, peers }): readonly Fault[] => {
      const unseen = [{ address: master, condition }, ...replicas, ...peers]
        .filter(isDown)
        .map(({ address }) => formatAddress(address))
        .filter((address) => answering.has(address));
      if (unseen.length === 0) return [];
      const text = `it sees ${unseen.join(', ')} of ${name} down, but they answer this machine`;
      return [{ subject: formatAddress(sentinel), text }];
    });
  });
}

function listValues(
  setting: string,
  opinions: readonly SentinelOpinion[],
  read: (opinion: SentinelOpinion) => number,
): readonly string[] {
  const values = [...new Set(opinions.map(read))];
  return values.length < 2 ? [] : [`${setting} is ${values.join(', ')}`];
}

function findUnfitTimeouts({ name: subject, opinions: [opinion] }: ExaminedMaster): readonly Fault[] {
  if (opinion === undefined) return [];
  const { downAfterMs, failoverTimeoutMs } = opinion;
  const faults: Fault[] = [];
  if (downAfterMs < shortestDownAfterMs) {
    const text = `Sentinel considers it down after ${downAfterMs} ms without an answer: a slow command or a fork is enough`;
    faults.push({ subject, text });
  }
  if (downAfterMs > longestDownAfterMs) {
    const text = `Sentinel considers it down only after ${downAfterMs / 1_000} s without an answer: writes fail for this long`;
    faults.push({ subject, text });
  }
  if (failoverTimeoutMs < shortestFailoverMs) {
    const text = `Sentinel aborts a failover after ${failoverTimeoutMs} ms: it may not even have seen the promotion by then`;
    faults.push({ subject, text, hint: 'SENTINEL SET {subject} failover-timeout 60000, at every Sentinel.' });
  }
  return faults;
}
