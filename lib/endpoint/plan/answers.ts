import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { type SentinelView, sentinelDefaults } from '../../model/sentinel.ts';
import type { ServedEndpoint, ServedMaster, ServedReplica, ServedView } from './view.ts';

/*
 * The fields of SENTINEL MASTER, REPLICAS and SENTINELS, in Sentinel's order (sentinel.c, addReplySentinelRedisInstance).
 * Clients read the address, the flags and the counts. What only a Sentinel knows has the value that it has while all is well.
 */

type Fields = ReadonlyMap<string, string>;

const { downAfterMs, failoverTimeoutMs } = sentinelDefaults;

/** The endpoint has no vote, so a quorum of one is enough. */
const defaultQuorum = 1;

/** `sentinels`: what the Sentinels say of the master, on a node with a bridge. */
export function describeMaster(
  master: ServedMaster,
  from: { readonly view: ServedView; readonly sentinels: readonly SentinelView[] },
): Fields {
  const { condition } = master;
  const known = from.sentinels.find((view) => sameAddress(view.master, master.record.master));
  return new Map([
    ['name', master.name],
    ...server(master.address, known?.masterRunId),
    ['flags', [...(condition === 'o_down' ? ['s_down', 'o_down'] : downFlags(condition)), 'master'].join(',')],
    ...link(condition === 'up'),
    ...(condition === 'up' ? [] : [['s-down-time', String(known?.suspectedForMs ?? 0)] as const]),
    ...(condition === 'o_down' ? [['o-down-time', String(known?.downForMs ?? 0)] as const] : []),
    ['down-after-milliseconds', String(known?.downAfterMs ?? downAfterMs)],
    ['info-refresh', '0'],
    ['role-reported', 'master'],
    ['role-reported-time', '0'],
    ['config-epoch', String(master.record.epoch)],
    ['num-slaves', String(master.replicas.length)],
    ['num-other-sentinels', String(from.view.endpoints.length)],
    ['quorum', String(known?.quorum ?? defaultQuorum)],
    ['failover-timeout', String(known?.failoverTimeoutMs ?? failoverTimeoutMs)],
    ['parallel-syncs', String(known?.parallelSyncs ?? 1)],
  ]);
}

export function describeReplica(
  replica: ServedReplica,
  from: { readonly master: ServedMaster; readonly sentinels: readonly SentinelView[] },
): Fields {
  const { address, condition, recorded } = replica;
  const { master, sentinels } = from;
  const view = sentinels.find(({ replicas }) => replicas.some((seen) => sameAddress(seen.address, recorded)));
  const known = view?.replicas.find((seen) => sameAddress(seen.address, recorded));
  return new Map([
    ['name', formatAddress(address)],
    ...server(address, known?.runId),
    ['flags', [...downFlags(condition), 'slave'].join(',')],
    ...link(condition === 'up'),
    ...(condition === 'up' ? [] : [['s-down-time', '0'] as const]),
    ['down-after-milliseconds', String(view?.downAfterMs ?? downAfterMs)],
    ['info-refresh', String(known?.infoAgeMs ?? 0)],
    ['role-reported', 'slave'],
    ['role-reported-time', '0'],
    ['master-link-down-time', String(known?.masterLinkDownMs ?? 0)],
    ['master-link-status', replica.link],
    ['master-host', master.address.host],
    ['master-port', String(master.address.port)],
    ['slave-priority', String(known?.priority ?? 100)],
    ['slave-repl-offset', String(known?.offset ?? 0)],
    ['replica-announced', '1'],
  ]);
}

export function describeEndpoint({ id, address }: ServedEndpoint, sentinels: readonly SentinelView[]): Fields {
  return new Map([
    ['name', id],
    ['ip', address.host],
    ['port', String(address.port)],
    ['runid', id],
    ['flags', 'sentinel'],
    ...link(true),
    ['down-after-milliseconds', String(sentinels[0]?.downAfterMs ?? downAfterMs)],
    ['last-hello-message', '0'],
    ['voted-leader', '?'],
    ['voted-leader-epoch', '0'],
  ]);
}

/** Without a run id, Sentinel's answer is empty too. */
function server({ host, port }: Address, runId = ''): readonly (readonly [string, string])[] {
  return [
    ['ip', host],
    ['port', String(port)],
    ['runid', runId],
  ];
}

function downFlags(condition: ServedMaster['condition']): readonly string[] {
  return condition === 'up' ? [] : ['s_down'];
}

function link(isUp: boolean): readonly (readonly [string, string])[] {
  return [
    ['link-pending-commands', '0'],
    ['link-refcount', '1'],
    ['last-ping-sent', '0'],
    ['last-ok-ping-reply', isUp ? '0' : String(downAfterMs)],
    ['last-ping-reply', '0'],
  ];
}
