import { SwitchmasterError } from '../errors.ts';
import { type Endpoint, isPort } from '../model/address.ts';
import { formatRanges } from '../model/cluster.ts';
import { explainFault, type LinkFault } from '../model/link-fault.ts';
import type { InstanceProfile, RedisProbeResult, SentinelProbeResult, Unanswered } from '../model/probe-result.ts';
import { readClusterView } from './cluster-node.ts';
import type { Deadline, InstanceLink } from './instance.ts';
import { readAnnounced, readInfo, readMasterNames, toRedisResult, toSentinelResult } from './instance-shapes.ts';
import { refusesEverybody } from './redis-errors.ts';
import type { Command } from './resp-command.ts';

/* One probe of a Redis, a Redis Cluster node or a Sentinel. A probe never rejects: no answer is a result too. */

export function probeRedis(link: InstanceLink<Endpoint>, deadline: Deadline): Promise<Unanswered | RedisProbeResult> {
  return settle(() => requestRedis(link, [], deadline));
}

export function probeClusterNode(
  link: InstanceLink<Endpoint>,
  deadline: Deadline,
): Promise<Unanswered | RedisProbeResult> {
  return settle(() => requestRedis(link, [['CLUSTER', 'INFO']], deadline));
}

export function probeSentinel(
  link: InstanceLink<Endpoint>,
  deadline: Deadline,
): Promise<Unanswered | SentinelProbeResult> {
  return settle(async () => {
    const [info] = await link.request([['INFO']], deadline);
    if (info instanceof Error) throw link.translate(info, 'INFO');
    const fields = readInfo(info);
    refuseMode(fields, { expected: 'sentinel', fault: 'not-sentinel' });
    const names = readMasterNames(fields);
    const answers = await link.request(
      names.map((name) => ['SENTINEL', 'CKQUORUM', name]),
      deadline,
    );
    const withoutQuorum = names.filter((_, i) => {
      const answer = answers[i];
      return answer instanceof Error && answer.message.startsWith('NOQUORUM');
    });
    return toSentinelResult(fields, withoutQuorum);
  });
}

/** INFO's run_id, which no two processes share; undefined where the server does not answer or does not show it. */
export async function readRunId(link: InstanceLink<Endpoint>, deadline: Deadline): Promise<string | undefined> {
  try {
    const [info] = await link.request([['INFO', 'server']], deadline);
    return readInfo(info).get('run_id');
  } catch {
    return undefined;
  }
}

/** Rejects with a SwitchmasterError where the server does not answer; so do the other profiles. */
export async function readRedisProfile(link: InstanceLink<Endpoint>, deadline: Deadline): Promise<InstanceProfile> {
  const [reply, info] = await link.request(
    [
      ['CONFIG', 'GET', 'replica-announce-*'],
      ['INFO', 'server'],
    ],
    deadline,
  );
  const announced = readAnnounced(reply, { host: 'replica-announce-ip', port: 'replica-announce-port' });
  const port = Number(readInfo(info).get('tcp_port'));
  return { announced, slots: undefined, ...(isPort(port) ? { port } : {}) };
}

export async function readSentinelProfile(link: InstanceLink<Endpoint>, deadline: Deadline): Promise<InstanceProfile> {
  const [reply] = await link.request([['SENTINEL', 'CONFIG', 'GET', 'announce-*']], deadline);
  const announced = readAnnounced(reply, { host: 'announce-ip', port: 'announce-port' });
  return { announced, slots: undefined };
}

export async function readClusterNodeProfile(link: InstanceLink, deadline: Deadline): Promise<InstanceProfile> {
  const view = await readClusterView(link, deadline);
  const shard = view.shards.find(({ nodes }) => nodes.some(({ id }) => id === view.nodeId));
  const own = shard?.nodes.find(({ id }) => id === view.nodeId);
  const slots = own?.role === 'master' ? formatRanges(shard?.slots ?? []) : '';
  return { announced: own?.address, names: own?.names ?? [], slots: slots === '' ? undefined : slots };
}

async function requestRedis(
  link: InstanceLink<Endpoint>,
  more: readonly Command[],
  deadline: Deadline,
): Promise<RedisProbeResult> {
  const [info, role, cluster] = await link.request([['INFO'], ['ROLE'], ...more], deadline);
  if (info instanceof Error) throw link.translate(info, 'INFO');
  const fields = readInfo(info);
  refuseMode(fields, { expected: 'redis', fault: 'not-redis' });
  return toRedisResult(fields, { role, cluster });
}

/** A server of the other kind answers INFO as well. Throws `redis-refused` with the fault. */
function refuseMode(
  fields: ReadonlyMap<string, string>,
  { expected, fault }: { readonly expected: 'sentinel' | 'redis'; readonly fault: 'not-sentinel' | 'not-redis' },
): void {
  const mode = fields.get('redis_mode');
  if (mode === undefined || (mode === 'sentinel') === (expected === 'sentinel')) return;
  throw new SwitchmasterError('redis-refused', `the server ${explainFault(fault)}`, { details: { fault } });
}

async function settle<Answer>(probe: () => Promise<Answer>): Promise<Unanswered | Answer> {
  try {
    return await probe();
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    const fault = error.details.fault as LinkFault | undefined;
    if (error.code === 'redis-denied' && !refusesEverybody(fault)) return { kind: 'denied' };
    const why = error.code === 'redis-timeout' ? 'timeout' : 'refused';
    return { kind: 'unreachable', why, ...(fault === undefined ? {} : { fault }) };
  }
}
