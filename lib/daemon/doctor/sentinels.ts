import { RedisLink } from '../../client/redis.ts';
import {
  type Fields,
  readCount,
  readFieldAddress,
  readFields,
  readFieldsList,
  readId,
  readPeer,
} from '../../client/sentinel-shapes.ts';
import { matchesAny } from '../../config/glob.ts';
import type { SentinelConfig } from '../../config/model.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress } from '../../model/address.ts';
import type { ExaminedSentinel, SentinelOpinion } from '../../model/examination.ts';
import { revealAccess } from '../consul.ts';

export interface Opinions {
  readonly sentinels: readonly ExaminedSentinel[];
  readonly masters: ReadonlyMap<string, readonly SentinelOpinion[]>;
}

interface Heard {
  readonly sentinel: ExaminedSentinel;
  readonly opinions: readonly (readonly [name: string, opinion: SentinelOpinion])[];
  readonly peers: readonly Address[];
}

const timeoutMs = 2_000;

/** The Sentinels of the config, and those that they know; each once, whatever the number of its addresses. */
export async function examineSentinels(config: SentinelConfig | undefined): Promise<Opinions> {
  if (config === undefined) return { sentinels: [], masters: new Map() };
  const listed = [...new Map(config.addresses.map((address) => [formatAddress(address), address])).values()];
  const configured = await Promise.all(
    listed.map((address) => ask(config, { address, origin: 'configured' as const })),
  );
  const known = new Set(config.addresses.map(formatAddress));
  const others = configured.flatMap(({ peers }) => peers).filter((address) => !known.has(formatAddress(address)));
  const distinct = [...new Map(others.map((address) => [formatAddress(address), address])).values()];
  const found = await Promise.all(distinct.map((address) => ask(config, { address, origin: 'found' as const })));
  const ids = new Set<string>();
  const heard = [...configured, ...found].filter(({ sentinel: { id } }) => {
    if (id === undefined) return true;
    const first = !ids.has(id);
    ids.add(id);
    return first;
  });
  const opinions = Map.groupBy(
    heard.flatMap((one) => one.opinions),
    ([name]) => name,
  );
  return {
    sentinels: heard.map(({ sentinel }) => sentinel),
    masters: new Map([...opinions].map(([name, list]) => [name, list.map(([, opinion]) => opinion)])),
  };
}

async function ask(
  config: SentinelConfig,
  { address, origin }: Pick<ExaminedSentinel, 'address' | 'origin'>,
): Promise<Heard> {
  const link = new RedisLink(address, revealAccess(config.access));
  try {
    const id = readId(await link.call(['SENTINEL', 'MYID'], { timeoutMs }).catch(() => undefined));
    const info = String(await link.call(['INFO', 'sentinel'], { timeoutMs }));
    const what = `SENTINEL MASTERS at ${formatAddress(address)}`;
    const listed = readFieldsList(await link.call(['SENTINEL', 'MASTERS'], { timeoutMs }), what);
    const names = listed.map(({ name = '' }) => name).filter((name) => matchesAny(config.masters, name));
    const answers = await Promise.all(names.map((name) => askMaster(link, name)));
    return {
      sentinel: { address, origin, state: { kind: 'reached' }, id, tilt: /^sentinel_tilt:1\r?$/m.test(info) },
      opinions: names.flatMap((name, i) => (answers[i] === undefined ? [] : [[name, answers[i].opinion] as const])),
      peers: answers.flatMap(({ peers }) => peers),
    };
  } catch (thrown) {
    const why = SwitchmasterError.from(thrown).message;
    const sentinel = { address, origin, state: { kind: 'unreachable', why }, id: undefined, tilt: false } as const;
    return { sentinel, opinions: [], peers: [] };
  } finally {
    link.close();
  }
}

async function askMaster(
  link: RedisLink,
  name: string,
): Promise<{ readonly opinion: SentinelOpinion; readonly peers: readonly Address[] }> {
  const what = `SENTINEL MASTER ${name} at ${formatAddress(link.address)}`;
  const [master, replicas, sentinels] = await Promise.all([
    link.call(['SENTINEL', 'MASTER', name], { timeoutMs }),
    link.call(['SENTINEL', 'REPLICAS', name], { timeoutMs }),
    link.call(['SENTINEL', 'SENTINELS', name], { timeoutMs }),
  ]);
  const fields = readFields(master, what);
  return {
    opinion: {
      sentinel: link.address,
      master: readFieldAddress(fields, what),
      quorum: readCount(fields, 'quorum', what),
      knownSentinels: readCount(fields, 'num-other-sentinels', what) + 1,
      downAfterMs: readCount(fields, 'down-after-milliseconds', what),
      failoverTimeoutMs: readCount(fields, 'failover-timeout', what),
      replicas: readFieldsList(replicas, what).map((replica) => readReplica(replica, what)),
    },
    peers: readFieldsList(sentinels, what).flatMap((peer) => readPeer(peer)?.address ?? []),
  };
}

function readReplica(fields: Fields, what: string): SentinelOpinion['replicas'][number] {
  return {
    address: readFieldAddress(fields, what),
    runId: fields.runid ?? '',
    flags: (fields.flags ?? '').split(','),
  };
}
