import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { ServedMaster, ServedReplica, ServedView } from './view.ts';

/** A message of Sentinel's pub/sub (sentinel.c, sentinelEvent). */
export interface Message {
  readonly channel: string;
  readonly payload: string;
}

/** The messages that a real Sentinel sends for the same change. A change of master comes first. */
export function messagesOf(before: ServedView, after: ServedView): readonly Message[] {
  const changes = [...after.masters.values()]
    .map((master) => ({ master, former: before.masters.get(master.name) }))
    .filter(({ master, former }) => master !== former);
  return [
    ...changes.flatMap(({ master, former }) => switchMessages(master, former)),
    ...changes.flatMap(({ master, former }) => stateMessages(master, former)),
    ...endpointMessages(before, after),
  ];
}

function switchMessages(master: ServedMaster, former: ServedMaster | undefined): readonly Message[] {
  if (former === undefined || sameAddress(former.address, master.address)) return [];
  const change = `${master.name} ${spaced(former.address)} ${spaced(master.address)}`;
  return [
    { channel: '+failover-end', payload: describeMaster(former) },
    { channel: '+switch-master', payload: change },
  ];
}

function stateMessages(master: ServedMaster, former: ServedMaster | undefined): readonly Message[] {
  if (former === undefined) return [];
  const isSame = sameAddress(former.address, master.address);
  return [
    ...(isSame ? masterMessages(master, former) : []),
    ...master.replicas.flatMap((replica) => {
      const known = isSame ? former.replicas.find(({ address }) => sameAddress(address, replica.address)) : undefined;
      return replicaMessages(replica, { master, known });
    }),
  ];
}

function masterMessages(master: ServedMaster, former: ServedMaster): readonly Message[] {
  const payload = describeMaster(master);
  const [was, is] = [former.condition, master.condition];
  return [
    ...(was === 'o_down' && is !== 'o_down' ? [{ channel: '-odown', payload }] : []),
    ...(was !== 'up' && is === 'up' ? [{ channel: '-sdown', payload }] : []),
    ...(was === 'up' && is !== 'up' ? [{ channel: '+sdown', payload }] : []),
    ...(was !== 'o_down' && is === 'o_down' ? [{ channel: '+odown', payload }] : []),
  ];
}

function replicaMessages(
  replica: ServedReplica,
  of: { readonly master: ServedMaster; readonly known: ServedReplica | undefined },
): readonly Message[] {
  const { master, known } = of;
  const { host, port } = replica.address;
  const payload = `slave ${formatAddress(replica.address)} ${host} ${port} @ ${master.name} ${spaced(master.address)}`;
  const was = known?.condition ?? 'up';
  return [
    ...(known === undefined ? [{ channel: '+slave', payload }] : []),
    ...(was === 'up' && replica.condition === 's_down' ? [{ channel: '+sdown', payload }] : []),
    ...(was === 's_down' && replica.condition === 'up' ? [{ channel: '-sdown', payload }] : []),
  ];
}

/** A Sentinel reports each other Sentinel once for each master that both monitor. */
function endpointMessages(before: ServedView, after: ServedView): readonly Message[] {
  const known = new Set(before.endpoints.map(({ id, address }) => `${id} ${formatAddress(address)}`));
  return after.endpoints
    .filter(({ id, address }) => !known.has(`${id} ${formatAddress(address)}`))
    .flatMap(({ id, address }) =>
      [...after.masters.values()].map((master) => ({
        channel: '+sentinel',
        payload: `sentinel ${id} ${spaced(address)} @ ${master.name} ${spaced(master.address)}`,
      })),
    );
}

function describeMaster({ name, address }: ServedMaster): string {
  return `master ${name} ${spaced(address)}`;
}

function spaced({ host, port }: Address): string {
  return `${host} ${port}`;
}
