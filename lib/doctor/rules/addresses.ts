import {
  type Address,
  formatAddress,
  isDefaultLoopback,
  isIpAddress,
  isUnspecified,
  sameAddress,
} from '../../model/address.ts';
import type { Examination, ExaminedMaster, Finding } from '../../model/examination.ts';

/** Whether everybody means the same by an address. */
export function examineAddresses({ sentinels, masters }: Examination): readonly Finding[] {
  const elsewhere = new Set(sentinels.map(({ address }) => address.host));
  return masters.flatMap((master) => [
    ...examineTwins(master),
    ...examineFollowed(master),
    ...examineForms(master),
    ...examineLoopback(master, elsewhere),
  ]);
}

/** One process by two addresses: NAT, or an announced address that changed. */
function examineTwins({ name: subject, instances, opinions }: ExaminedMaster): readonly Finding[] {
  const known = [
    ...instances.flatMap(({ address, runId }) => (runId === undefined ? [] : [{ address, runId }])),
    ...opinions.flatMap(({ replicas }) => replicas),
  ].filter(({ runId }) => runId !== '');
  const groups = Map.groupBy(known, ({ runId }) => runId);
  return [...groups.values()].flatMap((twins): Finding[] => {
    const addresses = [...new Set(twins.map(({ address }) => formatAddress(address)))].toSorted();
    if (addresses.length < 2) return [];
    const says = `one process is known by several addresses: ${addresses.join(', ')}`;
    const wayOut = `Set replica-announce-ip and replica-announce-port there, then SENTINEL RESET ${subject} at each Sentinel, one after the other.`;
    return [{ rule: 'announce-twins', severity: 'critical', subject, says, wayOut }];
  });
}

/** A replica that was told another address of its master than Sentinel tells: behind NAT the two never meet. */
function examineFollowed({ instances }: ExaminedMaster): readonly Finding[] {
  const master = instances.find(({ expected, role }) => expected === 'master' && role === 'master');
  if (master === undefined) return [];
  return instances.flatMap(({ address, follows, expected }): Finding[] => {
    if (expected !== 'replica' || follows === undefined || sameAddress(follows, master.address)) return [];
    const says = `it follows ${formatAddress(follows)}, and the Sentinels know its master as ${formatAddress(master.address)}`;
    const wayOut =
      'During a failover: wait. Else use one address everywhere: replica-announce-ip, sentinel announce-ip, or hostnames throughout.';
    return [{ rule: 'announce-mismatch', severity: 'warning', subject: formatAddress(address), says, wayOut }];
  });
}

function examineForms({ name: subject, instances, opinions }: ExaminedMaster): readonly Finding[] {
  const addresses = [...instances.map(({ address }) => address), ...opinions.map(({ master }) => master)];
  const names = addresses.filter(({ host }) => !isIpAddress(host));
  const numbers = addresses.filter(({ host }) => isIpAddress(host));
  if (names.length === 0 || numbers.length === 0) return [];
  const show = (list: readonly Address[]): string => [...new Set(list.map(formatAddress))].toSorted().join(', ');
  const says = `hostnames (${show(names)}) and addresses (${show(numbers)}) are mixed: they count as different processes`;
  const wayOut =
    'Use addresses everywhere, or sentinel resolve-hostnames and announce-hostnames with replica-announce-ip set to a name everywhere.';
  return [{ rule: 'hostnames-mixed', severity: 'warning', subject, says, wayOut }];
}

function examineLoopback(
  { name: subject, instances }: ExaminedMaster,
  sentinelHosts: ReadonlySet<string>,
): readonly Finding[] {
  const hosts = new Set([...instances.map(({ address }) => address.host), ...sentinelHosts]);
  const local = [...hosts].filter((host) => isDefaultLoopback(host) || isUnspecified(host));
  if (local.length === 0 || local.length === hosts.size) return [];
  const says = `${local.join(', ')} stands beside addresses of other machines: everybody means himself by it`;
  const wayOut = 'SENTINEL REMOVE and MONITOR it by the address that the others reach it by; set replica-announce-ip.';
  return [{ rule: 'loopback-published', severity: 'critical', subject, says, wayOut }];
}
