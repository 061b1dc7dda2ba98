import { type Address, canonicalHost, isHost, isPort, isUnspecified } from '../model/address.ts';
import type {
  ClusterProbeResult,
  LinkProbeResult,
  RedisProbeResult,
  SentinelProbeResult,
} from '../model/probe-result.ts';
import { replyText } from './reply-text.ts';

/* Reads INFO, ROLE and CONFIG GET of Redis 5 to 8 and Valkey. */

export type InfoFields = ReadonlyMap<string, string>;

/** Reads lines `name:value`, and skips all others. */
export function readInfo(reply: unknown): InfoFields {
  const fields = new Map<string, string>();
  if (typeof reply !== 'string') return fields;
  for (const line of reply.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** `role` is the reply to ROLE, or the error that refuses it; `cluster` is a cluster node's reply to CLUSTER INFO. */
export function toRedisResult(
  info: InfoFields,
  also: { readonly role: unknown; readonly cluster: unknown },
): RedisProbeResult {
  const role = readRole(Array.isArray(also.role) ? also.role[0] : info.get('role'));
  const limit = count(info, 'maxmemory');
  return {
    kind: 'redis',
    runId: info.get('run_id') ?? '',
    version: readVersion(info),
    loading: info.get('loading') === '1',
    role,
    link: role === 'replica' ? readLink(info) : undefined,
    memoryFull: limit > 0 && info.get('maxmemory_policy') === 'noeviction' && count(info, 'used_memory') >= limit,
    saveFailed: info.get('rdb_last_bgsave_status') === 'err',
    appendFailed: info.get('aof_enabled') === '1' && info.get('aof_last_write_status') === 'err',
    cluster: typeof also.cluster === 'string' ? toClusterResult(readInfo(also.cluster)) : undefined,
  };
}

/** Since when a Sentinel is in TILT mode, in milliseconds since 1970; null if it is not. Before Redis 7 it is `unknown`. */
export function readTiltSince(info: InfoFields, nowMs: number): number | 'unknown' | null {
  if (info.get('sentinel_tilt') !== '1') return null;
  const seconds = Number(info.get('sentinel_tilt_since_seconds') ?? -1);
  return Number.isSafeInteger(seconds) && seconds >= 0 ? nowMs - seconds * 1_000 : 'unknown';
}

export function toSentinelResult(info: InfoFields, withoutQuorum: readonly string[]): SentinelProbeResult {
  return {
    kind: 'sentinel',
    runId: info.get('run_id') ?? '',
    version: readVersion(info),
    tilt: info.get('sentinel_tilt') === '1',
    masters: count(info, 'sentinel_masters'),
    withoutQuorum: withoutQuorum.toSorted(),
  };
}

/** The names of a Sentinel's masters, from lines `master0:name=shard1,status=ok,address=...`. */
export function readMasterNames(info: InfoFields): readonly string[] {
  return [...info]
    .filter(([key]) => /^master\d+$/.test(key))
    .map(([, value]) => /^name=(.*?),status=/.exec(value)?.[1])
    .filter((name) => name !== undefined);
}

/** Reads the options `*-announce-ip` and `*-announce-port`, which are empty or 0 where the server announces nothing. */
export function readAnnounced(
  reply: unknown,
  names: { readonly host: string; readonly port: string },
): Partial<Address> {
  const fields = new Map<string, string>();
  if (Array.isArray(reply)) {
    for (let i = 0; i + 1 < reply.length; i += 2) fields.set(replyText(reply[i]), replyText(reply[i + 1]));
  }
  const host = fields.get(names.host);
  const port = Number(fields.get(names.port));
  return {
    ...(isHost(host) && !isUnspecified(host) ? { host: canonicalHost(host) } : {}),
    ...(isPort(port) ? { port } : {}),
  };
}

function readLink(info: InfoFields): LinkProbeResult {
  const silent = Number(info.get('master_last_io_seconds_ago') ?? -1);
  return {
    up: info.get('master_link_status') === 'up',
    silentMs: silent < 0 ? undefined : silent * 1_000,
    downMs: Math.max(0, count(info, 'master_link_down_since_seconds')) * 1_000,
    syncing: info.get('master_sync_in_progress') === '1',
  };
}

function toClusterResult(info: InfoFields): ClusterProbeResult {
  return {
    state: info.get('cluster_state') === 'ok' ? 'ok' : 'fail',
    slotsAssigned: count(info, 'cluster_slots_assigned'),
  };
}

/** The version of the program, with its name unless it is Redis. */
export function readVersion(info: InfoFields): string {
  const valkey = info.get('valkey_version');
  return valkey === undefined ? (info.get('redis_version') ?? '') : `valkey ${valkey}`;
}

function readRole(role: unknown): RedisProbeResult['role'] {
  if (role === 'master') return 'master';
  return role === 'slave' || role === 'replica' ? 'replica' : 'other';
}

function count(info: InfoFields, name: string): number {
  const value = Number(info.get(name) ?? 0);
  return Number.isFinite(value) ? value : 0;
}
