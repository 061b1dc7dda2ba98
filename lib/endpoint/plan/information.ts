import { formatAddress } from '../../model/address.ts';
import type { ServedMaster, ServedView } from './view.ts';

/** What INFO shows of the endpoint itself. */
export interface EndpointFacts {
  readonly version: string;
  /** As SENTINEL MYID. */
  readonly id: string;
  readonly port: number;
  readonly maxConnections: number;
  /** `stale`: Consul does not answer, and the records are the last ones that were read. */
  readonly consul: 'pending' | 'current' | 'stale';
  /** ISO 8601; since when the records are `stale`. */
  readonly staleSince: string | undefined;
  readonly process: ProcessFacts;
  readonly clients: ClientFacts;
}

interface ProcessFacts {
  readonly id: number;
  readonly executable: string;
  /** Name, release and machine, as `uname -srm`. */
  readonly system: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly uptimeS: number;
  /** Of the processor. Microseconds. */
  readonly usedUs: { readonly user: number; readonly system: number };
}

/** Now, and since the endpoint listens. */
export interface ClientFacts {
  readonly connections: number;
  readonly subscribers: number;
  readonly tracking: number;
  readonly accepted: number;
  readonly refused: number;
  readonly commands: number;
  readonly channels: number;
  readonly patterns: number;
}

/** The Redis version whose commands and answers the endpoint has. */
export const redisVersion = '7.0.15';

const sections = ['server', 'clients', 'stats', 'cpu', 'sentinel', 'switchmaster'] as const;

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
  server: ({ id, port, process }) => [
    '# Server',
    `redis_version:${redisVersion}`,
    'redis_git_sha1:00000000',
    'redis_git_dirty:0',
    'redis_build_id:0',
    'redis_mode:sentinel',
    `os:${process.system}`,
    'arch_bits:64',
    'monotonic_clock:POSIX clock_gettime',
    'multiplexing_api:epoll',
    `process_id:${process.id}`,
    'process_supervised:no',
    `run_id:${id}`,
    `tcp_port:${port}`,
    `server_time_usec:${Math.round(process.nowMs * 1_000)}`,
    `uptime_in_seconds:${process.uptimeS}`,
    `uptime_in_days:${Math.floor(process.uptimeS / 86_400)}`,
    'hz:10',
    'configured_hz:10',
    `executable:${process.executable}`,
    'config_file:',
    'io_threads_active:0',
  ],
  clients: ({ clients, maxConnections }) => [
    '# Clients',
    `connected_clients:${clients.connections}`,
    'cluster_connections:0',
    `maxclients:${maxConnections}`,
    'client_recent_max_input_buffer:0',
    'client_recent_max_output_buffer:0',
    'blocked_clients:0',
    `tracking_clients:${clients.tracking}`,
    `pubsub_clients:${clients.subscribers}`,
    'clients_in_timeout_table:0',
  ],
  stats: ({ clients }) => [
    '# Stats',
    `total_connections_received:${clients.accepted}`,
    `total_commands_processed:${clients.commands}`,
    `rejected_connections:${clients.refused}`,
    ...['expired_keys', 'evicted_keys', 'keyspace_hits', 'keyspace_misses'].map((name) => `${name}:0`),
    `pubsub_channels:${clients.channels}`,
    `pubsub_patterns:${clients.patterns}`,
  ],
  cpu: ({ process: { usedUs } }) => [
    '# CPU',
    `used_cpu_sys:${(usedUs.system / 1e6).toFixed(6)}`,
    `used_cpu_user:${(usedUs.user / 1e6).toFixed(6)}`,
    'used_cpu_sys_children:0.000000',
    'used_cpu_user_children:0.000000',
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
