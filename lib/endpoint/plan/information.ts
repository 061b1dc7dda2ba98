import { formatAddress } from '../../model/address.ts';
import type { ServedMaster, ServedView } from './view.ts';

/** What INFO shows of the endpoint itself. */
export interface EndpointFacts {
  readonly version: string;
  /** As SENTINEL MYID. */
  readonly id: string;
  readonly processId: number;
  readonly port: number;
  readonly uptimeS: number;
  readonly connections: number;
  readonly maxConnections: number;
  /** `stale`: Consul does not answer, and the records are the last ones that were read. */
  readonly consul: 'pending' | 'current' | 'stale';
  /** ISO 8601; since when the records are `stale`. */
  readonly staleSince: string | undefined;
}

/** The Redis version whose commands and answers the endpoint has. */
export const redisVersion = '7.0.15';

const sections = ['server', 'clients', 'sentinel', 'switchmaster'] as const;

/** The text of INFO; `wanted` names sections, none for all. */
export function formatInfo(
  wanted: readonly string[],
  from: { facts: EndpointFacts; view: ServedView | undefined },
): string {
  const names = wanted.map((name) => name.toLowerCase());
  const isAll = names.length === 0 || names.some((name) => ['all', 'default', 'everything'].includes(name));
  return sections
    .filter((section) => isAll || names.includes(section))
    .map((section) =>
      lines[section](from.facts, from.view)
        .map((line) => `${line}\r\n`)
        .join(''),
    )
    .join('\r\n');
}

type Section = (facts: EndpointFacts, view: ServedView | undefined) => readonly string[];

const lines: Readonly<Record<(typeof sections)[number], Section>> = {
  server: ({ id, processId, port, uptimeS }) => [
    '# Server',
    `redis_version:${redisVersion}`,
    'redis_mode:sentinel',
    `process_id:${processId}`,
    `tcp_port:${port}`,
    `run_id:${id}`,
    `uptime_in_seconds:${uptimeS}`,
    `uptime_in_days:${Math.floor(uptimeS / 86_400)}`,
  ],
  clients: ({ connections, maxConnections }) => [
    '# Clients',
    `connected_clients:${connections}`,
    `maxclients:${maxConnections}`,
    'blocked_clients:0',
    'tracking_clients:0',
  ],
  sentinel: (_facts, view) => [
    '# Sentinel',
    `sentinel_masters:${view?.masters.size ?? 0}`,
    'sentinel_tilt:0',
    'sentinel_tilt_since_seconds:-1',
    'sentinel_running_scripts:0',
    'sentinel_scripts_queue_length:0',
    'sentinel_simulate_failure_flags:0',
    ...[...(view?.masters.values() ?? [])].map((master, i) =>
      describe(master, { i, others: view?.endpoints.length ?? 0 }),
    ),
  ],
  switchmaster: ({ version, consul, staleSince }) => [
    '# Switchmaster',
    `switchmaster_version:${version}`,
    `switchmaster_consul:${consul}`,
    ...(staleSince === undefined ? [] : [`switchmaster_consul_stale_since:${staleSince}`]),
  ],
};

const statusWords = { up: 'ok', s_down: 'sdown', o_down: 'odown' } as const;

function describe(master: ServedMaster, { i, others }: { readonly i: number; readonly others: number }): string {
  const { name, condition, address, replicas } = master;
  const status = statusWords[condition];
  return `master${i}:name=${name},status=${status},address=${formatAddress(address)},slaves=${replicas.length},sentinels=${others + 1}`;
}
