import { type Address, formatAddress, isIpAddress, sameAddress } from '../../model/address.ts';
import type { ExaminedMaster } from '../examination.ts';
import { type Fault, instanceRule, masterRule, type Rule, rule } from '../rule.ts';

/** Whether an address means the same process everywhere. */
export const addressRules: readonly Rule[] = [
  rule({
    name: 'announce-twins',
    severity: 'critical',
    reads: ['masters'],
    hint: 'Set replica-announce-ip and replica-announce-port at that Redis, then run SENTINEL RESET {subject} at each Sentinel, one after the other.',
    find: ({ masters }) => masters.flatMap(findTwins),
  }),
  /** Behind NAT, a replica may replicate from another address than the one that the Sentinels have. */
  instanceRule({
    name: 'announce-mismatch',
    severity: 'warning',
    hint: 'During a failover, wait. Otherwise use one address everywhere: replica-announce-ip, sentinel announce-ip, or hostnames throughout.',
    find: ({ expected, follows }, { instances }) => {
      const master = instances.find((one) => one.expected === 'master' && one.role === 'master');
      if (master === undefined || expected !== 'replica' || follows === undefined) return undefined;
      if (sameAddress(follows, master.address)) return undefined;
      return `it replicates from ${formatAddress(follows)}, but the Sentinels know its master as ${formatAddress(master.address)}`;
    },
  }),
  masterRule({
    name: 'hostnames-mixed',
    severity: 'warning',
    hint: 'Use addresses everywhere, or sentinel resolve-hostnames and announce-hostnames with replica-announce-ip set to a name everywhere.',
    find: findMixedForms,
  }),
];

/** One process with two addresses: NAT, or an announced address that changed. */
function findTwins({ name: subject, instances, opinions }: ExaminedMaster): readonly Fault[] {
  const known = [
    ...instances.flatMap(({ address, runId }) => (runId === undefined ? [] : [{ address, runId }])),
    ...opinions.flatMap(({ replicas }) => replicas),
  ].filter(({ runId }) => runId !== '');
  const groups = Map.groupBy(known, ({ runId }) => runId);
  return [...groups.values()].flatMap((twins) => {
    const addresses = [...new Set(twins.map(({ address }) => formatAddress(address)))].toSorted();
    if (addresses.length < 2) return [];
    return [{ subject, text: `one process is known by several addresses: ${addresses.join(', ')}` }];
  });
}

function findMixedForms({ instances, opinions }: ExaminedMaster): string | undefined {
  const addresses = [...instances.map(({ address }) => address), ...opinions.map(({ master }) => master)];
  const names = addresses.filter(({ host }) => !isIpAddress(host));
  const numbers = addresses.filter(({ host }) => isIpAddress(host));
  if (names.length === 0 || numbers.length === 0) return undefined;
  const show = (list: readonly Address[]): string => [...new Set(list.map(formatAddress))].toSorted().join(', ');
  return `hostnames (${show(names)}) and IP addresses (${show(numbers)}) are mixed: Sentinel takes them for different processes`;
}
