import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../../client/consul.ts';
import type { InstanceLink } from '../../client/instance.ts';
import { readInfo } from '../../client/instance-shapes.ts';
import { type ListedReplicas, readListedReplicas } from '../../client/replication-shapes.ts';
import { withDeadline } from '../../deadline.ts';
import { type Endpoint, sameAddress } from '../../model/address.ts';
import { type Naming, recordKey } from '../../model/naming.ts';
import { type MasterRecord, parseRecord } from '../../model/record.ts';
import type { SentinelView } from '../../model/sentinel.ts';
import type { SentinelReading } from '../observe/sentinel-reading.ts';
import { hearsReplica, type IsolationReading } from './plan.ts';

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
  readonly link: InstanceLink<Endpoint>;
  /** The record before anybody fell silent, and what the Sentinels said last. */
  readonly known: { readonly record: MasterRecord | undefined; readonly views: readonly SentinelView[] };
  readonly maintenance: string | undefined;
}

/** The own server answers at once, or is busy. */
const infoTimeoutMs = 300;
/** An answer that takes longer counts as none in this round. */
const askTimeoutMs = 400;

/** Reads the own server, and asks the Sentinels and Consul's leader if no replica acknowledged just now. Never rejects. */
export async function readIsolation(sources: IsolationSources, asked: Asked): Promise<IsolationReading> {
  const server = await readServer(asked.link);
  const { record, views } = asked.known;
  const known = sources.sentinels.count(asked.name);
  const replaceable = judgeReplaceable({ record, views, server: server.reading, listed: server.listed });
  const reading = { server: server.reading, replaceable, maintenance: asked.maintenance };
  const unasked = { known, heard: 'unasked' } as const;
  if (server.reading.kind === 'replica' || known === 0 || hearsReplica(reading))
    return { ...reading, atMs: performance.now(), sentinels: unasked, consul: 'unasked', successor: undefined };
  const [answers, consul] = await Promise.all([askSentinels(sources, asked.name), askConsul(sources, asked.name)]);
  const heard = answers.filter(({ kind }) => kind !== 'unreachable').length;
  return {
    ...reading,
    atMs: performance.now(),
    sentinels: { known, heard },
    consul: consul.state,
    successor: findSuccessor(record, { answers, recorded: consul.record }),
  };
}

interface ServerReading extends ListedReplicas {
  readonly reading: IsolationReading['server'];
}

async function readServer(link: InstanceLink<Endpoint>): Promise<ServerReading> {
  const unanswered: ServerReading = { reading: { kind: 'unanswered' }, listed: 0, ackAgeMs: undefined };
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

async function askSentinels(
  { sentinels }: Pick<IsolationSources, 'sentinels'>,
  name: string,
): Promise<readonly SentinelReading[]> {
  const late = () => new Error('no answer in time');
  const reading = sentinels.read(name, { timeoutMs: askTimeoutMs });
  return withDeadline(reading, { timeoutMs: askTimeoutMs * 2, late }).catch(() => []);
}

/** The leader confirms a consistent read with most of the servers, so one that is cut off itself does not answer it. */
async function askConsul(
  { client, naming }: Pick<IsolationSources, 'client' | 'naming'>,
  name: string,
): Promise<{ readonly state: 'heard' | 'silent'; readonly record?: MasterRecord | undefined }> {
  try {
    const query = { kind: 'key', key: recordKey(naming, name) } as const;
    const { value } = await client.read(query, { consistency: 'consistent', timeoutMs: askTimeoutMs });
    return { state: 'heard', record: value === undefined ? undefined : parseRecord(value.value) };
  } catch {
    return { state: 'silent' };
  }
}

/** Who has taken the place of the recorded master, by any of those that answered. */
function findSuccessor(
  before: MasterRecord | undefined,
  heard: { readonly answers: readonly SentinelReading[]; readonly recorded: MasterRecord | undefined },
): IsolationReading['successor'] {
  const views = heard.answers.flatMap((answer) => (answer.kind === 'seen' ? [answer.view] : []));
  if (before !== undefined) {
    const newer = views.filter(({ configEpoch }) => configEpoch > before.epoch).map(({ master }) => master);
    const named = [...newer, ...(heard.recorded === undefined ? [] : [heard.recorded.master])];
    const other = named.find((master) => !sameAddress(master, before.master));
    if (other !== undefined) return other;
  }
  return views.some(({ condition }) => condition === 'failover') ? 'being promoted' : undefined;
}
