import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress, toAddress } from '../model/address.ts';
import type { MasterCondition, ReplicaView, SentinelEvent, SentinelView } from '../model/sentinel.ts';
import { SharedValues } from '../model/shared-values.ts';
import type { MasterStates } from './master-states.ts';
import { replyNumber, replyText } from './reply-text.ts';

/* The answers and messages of Sentinel, as sentinel.c of Redis 5 to 8 and Valkey writes them. */

export type Fields = Readonly<Record<string, string>>;

/** A reply of alternating names and values. */
export function readFields(reply: unknown, what: string): Fields {
  if (!Array.isArray(reply) || reply.length % 2 !== 0) throw invalid(what, 'it is not a list of names and values');
  const fields: Record<string, string> = Object.create(null);
  for (let i = 0; i < reply.length; i += 2) fields[replyText(reply[i])] = replyText(reply[i + 1]);
  return fields;
}

export function readFieldsList(reply: unknown, what: string): readonly Fields[] {
  if (!Array.isArray(reply)) throw invalid(what, 'it is not a list');
  return reply.map((entry) => readFields(entry, what));
}

export function readFieldAddress(fields: Fields, what: string): Address {
  const address = toAddress(fields.ip, fields.port);
  if (address !== undefined) return address;
  throw invalid(what, `it has no usable address (ip ${fields.ip ?? ''}, port ${fields.port})`);
}

export function readCount(fields: Fields, name: string, what: string): number {
  const count = replyNumber(fields[name]);
  if (!Number.isSafeInteger(count) || count < 0) throw invalid(what, `${name} is ${fields[name]}`);
  return count;
}

/** `flags` is a comma-separated list: master, s_down, o_down, disconnected, failover_in_progress, ... */
export function readCondition(fields: Fields): { condition: MasterCondition; linked: boolean } {
  const flags = flagsOf(fields);
  const linked = !flags.has('disconnected');
  if (flags.has('failover_in_progress')) return { condition: 'failover', linked };
  if (flags.has('o_down')) return { condition: 'o_down', linked };
  return { condition: flags.has('s_down') ? 's_down' : 'up', linked };
}

/** undefined for a replica whose address cannot be used (Sentinel knows some by an empty or a stale hostname). */
export function readReplica(fields: Fields): ReplicaView | undefined {
  const address = toAddress(fields.ip, fields.port);
  if (address === undefined) return undefined;
  const priority = replyNumber(fields['slave-priority']);
  return {
    address,
    condition: replicaCondition(fields),
    ...(Number.isSafeInteger(priority) ? { priority } : {}),
    ...readMs(fields, {
      masterLinkDownMs: 'master-link-down-time',
      pingAgeMs: 'last-ok-ping-reply',
      infoAgeMs: 'info-refresh',
    }),
    ...readNumber(fields, 'offset', 'slave-repl-offset'),
    ...readRunId(fields, 'runId'),
  };
}

/** The view of one Sentinel from its answers to SENTINEL MASTER and SENTINEL REPLICAS; without the latter it hides its replicas. */
export function readView(answers: {
  readonly name: string;
  readonly sentinelId: string;
  readonly sentinel: Address;
  readonly master: unknown;
  readonly replicas: unknown;
}): SentinelView {
  const { name, sentinelId, sentinel } = answers;
  const what = `SENTINEL MASTER ${name} at ${formatAddress(sentinel)}`;
  const fields = readFields(answers.master, what);
  const master = readFieldAddress(fields, what);
  const hides = answers.replicas === undefined;
  const replicas = hides
    ? []
    : readFieldsList(answers.replicas, `SENTINEL REPLICAS ${name} at ${formatAddress(sentinel)}`);
  const promoted = replicas.find(isPromoted);
  const promoting = promoted === undefined ? undefined : readReplica(promoted)?.address;
  return {
    sentinelId,
    sentinel,
    master,
    ...readRunId(fields, 'masterRunId'),
    configEpoch: readCount(fields, 'config-epoch', what),
    ...readCondition(fields),
    quorum: readCount(fields, 'quorum', what),
    knownSentinels: readCount(fields, 'num-other-sentinels', what) + 1,
    failoverTimeoutMs: readCount(fields, 'failover-timeout', what),
    ...readNumber(fields, 'parallelSyncs', 'parallel-syncs'),
    ...readMs(fields, {
      downAfterMs: 'down-after-milliseconds',
      suspectedForMs: 's-down-time',
      downForMs: 'o-down-time',
    }),
    ...(hides ? { hides: 'replicas' as const } : {}),
    ...(promoting === undefined ? {} : { promoting, promotion: readPromotion(fields) }),
    ...(isCoordinated(fields) ? { isCoordinated: true as const } : {}),
    replicas: replicas
      .map(readReplica)
      .filter((replica) => replica !== undefined)
      .filter((replica) => !sameAddress(replica.address, master)),
  };
}

/** A master of the list of all that one Sentinel monitors. */
export interface MonitoredMaster {
  readonly name: string;
  /** How many other Sentinels of it this one knows; undefined where it does not say. */
  readonly others: number | undefined;
  /** Whether this Sentinel said something else of it before. */
  readonly isChanged: boolean;
}

/** Reads the answer of a Sentinel to SENTINEL MASTERS, which may have thousands of masters. `states`: what it said before. */
export function readMonitoredMasters(
  reply: unknown,
  sentinel: Address,
  states: MasterStates,
): readonly MonitoredMaster[] {
  const what = `SENTINEL MASTERS at ${formatAddress(sentinel)}`;
  if (!Array.isArray(reply)) throw invalid(what, 'it is not a list');
  const masters = new Map(reply.map((entry) => [readField(entry, 'name', what), entry] as const));
  masters.delete('');
  const changed = states.learn(masters);
  return [...masters].map(([name, entry]) => {
    const count = replyNumber(readField(entry, 'num-other-sentinels', what));
    return { name, others: Number.isSafeInteger(count) ? count : undefined, isChanged: changed.has(name) };
  });
}

/** Empty if it is missing. */
function readField(reply: unknown, name: string, what: string): string {
  if (!Array.isArray(reply) || reply.length % 2 !== 0) throw invalid(what, 'it is not a list of names and values');
  const place = reply.findIndex((part, i) => i % 2 === 0 && part === name);
  return place === -1 ? '' : replyText(reply[place + 1]);
}

/** Another Sentinel, as one Sentinel knows it. */
export interface SentinelPeer {
  readonly address: Address;
  /** What SENTINEL MYID answers there; undefined where it is not known yet. */
  readonly id: string | undefined;
}

/** undefined for one whose address cannot be used. */
export function readPeer(fields: Fields): SentinelPeer | undefined {
  const address = toAddress(fields.ip, fields.port);
  return address === undefined ? undefined : { address, id: readId(fields.runid) };
}

/** Reads an answer to SENTINEL SENTINELS. Leaves out those whose addresses cannot be used. */
export function readPeers(reply: unknown, what: string): readonly SentinelPeer[] {
  return readFieldsList(reply, what).flatMap((fields) => readPeer(fields) ?? []);
}

const ids = new SharedValues<string>(20_000);

/** The id of a Sentinel, and the run id of a Redis, is 40 hexadecimal digits. */
export function readId(reply: unknown): string | undefined {
  return typeof reply === 'string' && /^[0-9a-f]{40}$/.test(reply) ? ids.get(reply, () => reply) : undefined;
}

/** A number, under `key`; empty where the Sentinel does not give one. */
function readNumber<Key extends string>(fields: Fields, key: Key, name: string): { readonly [K in Key]?: number } {
  const number = replyNumber(fields[name]);
  const isUsable = Number.isSafeInteger(number) && number >= 0;
  return isUsable ? ({ [key]: number } as { readonly [K in Key]: number }) : {};
}

/** The run id of the Redis that the fields describe, under `key`; empty until the Sentinel has read its INFO. */
function readRunId<Key extends string>(fields: Fields, key: Key): { readonly [K in Key]?: string } {
  const id = readId(fields.runid);
  return id === undefined ? {} : ({ [key]: id } as { readonly [K in Key]: string });
}

/** Times in milliseconds, under new names. Sentinel leaves out those that do not apply. */
function readMs<Key extends string>(
  fields: Fields,
  names: { readonly [K in Key]: string },
): { readonly [K in Key]?: number } {
  const found = Object.entries<string>(names).flatMap(([key, name]) => {
    const ms = replyNumber(fields[name]);
    return Number.isSafeInteger(ms) && ms >= 0 ? [[key, ms]] : [];
  });
  return Object.fromEntries(found);
}

/** Whether the asked Sentinel leads a coordinated failover (sentinel.c of Valkey 9, SRI_COORD_FAILOVER). */
function isCoordinated(fields: Fields): boolean {
  return flagsOf(fields).has('coordinated_failover');
}

/** Whether this replica is the one that the asked Sentinel promotes (flag `promoted`, from `+selected-slave` on). */
function isPromoted(fields: Fields): boolean {
  return flagsOf(fields).has('promoted');
}

/** Whether the asked Sentinel has seen the replica that it promotes as a master (sentinel.c, sentinelFailoverStateStr). */
function readPromotion(fields: Fields): 'ordered' | 'seen' {
  const state = fields['failover-state'];
  return state === 'reconf_slaves' || state === 'update_config' ? 'seen' : 'ordered';
}

function replicaCondition(fields: Fields): ReplicaView['condition'] {
  const flags = flagsOf(fields);
  if (flags.has('s_down')) return 's_down';
  if (flags.has('disconnected')) return 'unlinked';
  // role-reported comes from the last INFO. Before the first INFO it is what Sentinel assumes.
  if (fields['role-reported'] === 'master') return 'master';
  return fields['master-link-status'] === 'ok' ? 'up' : 'link-down';
}

function flagsOf(fields: Fields): ReadonlySet<string> {
  return new Set((fields.flags ?? '').split(','));
}

/**
 * `+switch-master`: `name oldip oldport newip newport`. Others: `type name ip port [@ master ip port] [text]`, where the
 * master of a `master` is itself; or free text, where the event is about the Sentinel. A master's name may hold spaces.
 */
export function readEvent(channel: string, message: string): SentinelEvent {
  const words = message.split(' ');
  if (channel === '+switch-master') {
    const [host, port] = words.slice(-2);
    return {
      event: channel,
      master: words.slice(0, Math.max(1, words.length - 4)).join(' '),
      target: toAddress(host, port),
      message,
    };
  }
  const from = words[4] === '@' ? 5 : words[0] === 'master' ? 1 : undefined;
  return { event: channel, master: from === undefined ? undefined : nameFrom(words, from), target: undefined, message };
}

/** The words from `from` up to the address, at least one. */
function nameFrom(words: readonly string[], from: number): string | undefined {
  const host = words.findIndex((word, i) => i > from && toAddress(word, words[i + 1]) !== undefined);
  return host === -1 ? words[from] : words.slice(from, host).join(' ');
}

function invalid(what: string, why: string): SwitchmasterError {
  return new SwitchmasterError('redis-answer-invalid', `The answer of ${what} cannot be used: ${why}.`);
}
