import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../../client/consul.ts';
import type { InstanceLink } from '../../client/instance.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { type ListedReplicas, readListedReplicas } from '../../client/replication-shapes.ts';
import { withDeadline } from '../../deadline.ts';
import { type Address, type Endpoint, isIn } from '../../model/address.ts';
import { majorityOf } from '../../model/epoch.ts';
import { type Naming, recordKey } from '../../model/naming.ts';
import { type MasterRecord, parseRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import { distinctViews, type SentinelReading } from '../observe/sentinel-reading.ts';
import { asksBesideReplica, hearsReplica } from './plan/plan.ts';
import { type IsolationReading, type IsolationState, isOver, isPaused } from './plan/state.ts';
import { findProvenSuccessor, findSuccessor } from './successor.ts';

/** Where a master's Sentinels and its record are read. */
export interface IsolationSources {
  readonly client: Pick<ConsulClient, 'read'>;
  readonly naming: Naming;
  readonly sentinels: {
    count(name: string): number;
    read(name: string, options: { readonly timeoutMs: number }): Promise<readonly SentinelReading[]>;
  };
}

export interface Asked {
  readonly name: string;
  readonly link: Pick<InstanceLink<Endpoint>, 'request'>;
  /** The state before this round, and when the server answered last. */
  readonly before: IsolationState | undefined;
  readonly answeredMs: number;
  /** Every address by which others may know the server. */
  readonly own: readonly Address[];
  readonly known: {
    /** The last record that named the server the master, or the last one from before the silence. */
    readonly record: MasterRecord | undefined;
    /** Read after the answers: they may take longer than the news. */
    readonly newest: MasterRecord | undefined;
    /** What the Sentinels said last. */
    readonly views: readonly SentinelView[];
  };
  /** What is done about a former master that accepts writes. */
  readonly formerMaster: 'pause' | 'leave';
  readonly maintenance: string | undefined;
}

/** The own server answers at once, or is busy. */
const infoTimeoutMs = 300;
/** An answer that takes longer counts as none in this round. */
const askTimeoutMs = 400;

/**
 * Reads the own server, and asks the Sentinels and Consul's leader if no replica acknowledged just now, or if the writes are paused: a
 * replica may still follow a master that was replaced. Never rejects.
 */
export async function readIsolation(sources: IsolationSources, asked: Asked): Promise<IsolationReading> {
  const server = await readServer(asked);
  const { record, views } = asked.known;
  const known = sources.sentinels.count(asked.name);
  const replaceable = judgeReplaceable({ record, views, server: server.reading, listed: server.listed });
  const reading = { server: server.reading, replaceable, maintenance: asked.maintenance };
  if (known === 0 || needsNobody(reading, asked.before)) {
    const successor = judgeSuccessor(asked, { reading, views: [], known });
    const sentinels = { known, heard: 'unasked' } as const;
    const record = judgeRecord(asked, { views: [], known });
    return { ...reading, atMs: performance.now(), sentinels, consul: 'unasked', successor, record };
  }
  const { heard, consul } = await askOthers(sources, asked, known);
  return {
    ...reading,
    atMs: performance.now(),
    sentinels: { known, heard: heard.length },
    consul: consul.state,
    successor: judgeSuccessor(asked, { reading, views: heard, known, recorded: consul.record }),
    record: judgeRecord(asked, { views: heard, known, recorded: consul.record }),
  };
}

function needsNobody(
  reading: Pick<IsolationReading, 'server' | 'replaceable' | 'maintenance'>,
  before: IsolationState | undefined,
): boolean {
  const { server, replaceable, maintenance } = reading;
  if (server.kind === 'replica' || replaceable === 'no' || maintenance !== undefined) return true;
  if (server.kind === 'unanswered') return before === undefined || (before.kind === 'inactive' && !isOver(before));
  return hearsReplica(reading) && !asksBesideReplica(before, performance.now());
}

function judgeSuccessor(
  { own, known: { record, newest }, before, formerMaster }: Asked,
  found: {
    readonly reading: Pick<IsolationReading, 'server'>;
    readonly views: readonly SentinelView[];
    readonly known: number;
    readonly recorded?: MasterRecord | undefined;
  },
): IsolationReading['successor'] {
  const { reading, views, known, recorded } = found;
  const evidence = { own, before: record, views, knownSentinels: known };
  if (isPaused(before)) return findSuccessor({ ...evidence, newest: recorded ?? newest });
  // What was just read may be edited: the bridge has not examined it.
  if (formerMaster === 'leave' || reading.server.kind !== 'master') return undefined;
  return findProvenSuccessor({ ...evidence, newest });
}

function judgeRecord(
  { own, known: { record, newest } }: Asked,
  found: {
    readonly views: readonly SentinelView[];
    readonly known: number;
    readonly recorded?: MasterRecord | undefined;
  },
): IsolationReading['record'] {
  const { views, known, recorded } = found;
  if (recorded !== undefined && isIn(own, recorded.master)) return 'own';
  const evidence = { own, before: record, newest: undefined, views, knownSentinels: known };
  if (findProvenSuccessor(evidence) !== undefined) return 'confirmed';
  const last = recorded ?? newest;
  return last === undefined || isIn(own, last.master) ? 'unknown' : last.phase;
}

interface ConsulAnswer {
  readonly state: IsolationReading['consul'];
  readonly record?: MasterRecord | undefined;
}

/** While a majority of the Sentinels answers, Consul is spared: each consistent read occupies most of its servers. */
async function askOthers(
  sources: IsolationSources,
  { name, before }: Asked,
  known: number,
): Promise<{ readonly heard: readonly SentinelView[]; readonly consul: ConsulAnswer }> {
  const asking = askSentinels(sources, name);
  if (before?.kind === 'connected' && before.by === 'sentinels') {
    const heard = await asking;
    if (heard.length >= majorityOf(known)) return { heard, consul: { state: 'unasked' } };
  }
  const [heard, consul] = await Promise.all([asking, askConsul(sources, name)]);
  return { heard, consul };
}

interface ServerReading extends ListedReplicas {
  readonly reading: IsolationReading['server'];
}

async function readServer({ link, answeredMs }: Pick<Asked, 'link' | 'answeredMs'>): Promise<ServerReading> {
  const forMs = performance.now() - answeredMs;
  const unanswered: ServerReading = { reading: { kind: 'unanswered', forMs }, listed: 0, ackAgeMs: undefined };
  try {
    const [reply] = await link.request([['INFO', 'replication']], { timeoutMs: infoTimeoutMs });
    const info = readInfo(reply);
    const role = info.get('role');
    if (role === 'slave') return { ...unanswered, reading: { kind: 'replica' } };
    if (role !== 'master') return unanswered;
    const replicas = readListedReplicas(info);
    return { ...replicas, reading: { kind: 'master', ackAgeMs: replicas.ackAgeMs } };
  } catch {
    return unanswered;
  }
}

function judgeReplaceable(seen: {
  readonly record: MasterRecord | undefined;
  readonly views: readonly SentinelView[];
  readonly server: IsolationReading['server'];
  readonly listed: number;
}): IsolationReading['replaceable'] {
  const { record, views, server, listed } = seen;
  if (listed > 0 || (record?.replicas.length ?? 0) > 0) return 'yes';
  if (views.some((view) => view.replicas.length > 0 || view.hides !== undefined)) return 'yes';
  // What nobody has said yet is unknown.
  return server.kind === 'unanswered' || (record === undefined && views.length === 0) ? 'unknown' : 'no';
}

/** What those say that monitor this master: Sentinels of other masters, which answer too, elect nobody in its place. */
async function askSentinels(
  { sentinels }: Pick<IsolationSources, 'sentinels'>,
  name: string,
): Promise<readonly SentinelView[]> {
  const late = () => new Error('no answer in time');
  const reading = sentinels.read(name, { timeoutMs: askTimeoutMs });
  return distinctViews(await withDeadline(reading, { timeoutMs: askTimeoutMs * 2, late }).catch(() => []));
}

/** The leader confirms a consistent read with most of the servers, so one that is cut off itself does not answer it. */
async function askConsul(
  { client, naming }: Pick<IsolationSources, 'client' | 'naming'>,
  name: string,
): Promise<ConsulAnswer> {
  try {
    const query = { kind: 'key', key: recordKey(naming, name) } as const;
    const limits = { timeoutMs: askTimeoutMs, priority: 'failover' } as const;
    const { value } = await client.read(query, { consistency: 'consistent', ...limits });
    const record = value === undefined ? undefined : parseRecord(value.value);
    return { state: 'heard', record: record?.name === name ? record : undefined };
  } catch {
    return { state: 'silent' };
  }
}
