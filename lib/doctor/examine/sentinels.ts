import { readInfo, readTiltSince } from '../../client/instance-shapes.ts';
import { RedisLink } from '../../client/redis.ts';
import { type Ask, askMaster, askReplicas } from '../../client/sentinel-questions.ts';
import { readCount, readFields, readFieldsList, readId, readPeer, readView } from '../../client/sentinel-shapes.ts';
import type { SentinelConfig } from '../../config/model.ts';
import { revealAccess } from '../../config/reveal.ts';
import { SwitchmasterError } from '../../errors.ts';
import { distinctAddresses, formatAddress } from '../../model/address.ts';
import { matchesAny } from '../../model/glob.ts';
import type { ExaminedClock, ExaminedSentinel, SentinelOpinion } from '../examination.ts';
import { compareClocks } from './clock.ts';

export interface Opinions {
  readonly sentinels: readonly ExaminedSentinel[];
  readonly masters: ReadonlyMap<string, readonly SentinelOpinion[]>;
  readonly clocks: readonly ExaminedClock[];
}

interface Answer {
  readonly sentinel: ExaminedSentinel;
  readonly opinions: readonly (readonly [name: string, opinion: SentinelOpinion])[];
  readonly clock: ExaminedClock | undefined;
}

const timeoutMs = 2_000;

/** Examines the Sentinels of the config and those that they know, each process once, however many addresses it has. */
export async function examineSentinels(config: SentinelConfig | undefined): Promise<Opinions> {
  if (config === undefined) return { sentinels: [], masters: new Map(), clocks: [] };
  const listed = distinctAddresses(config.addresses);
  const configured = await Promise.all(
    listed.map((address) => examineSentinel(config, { address, origin: 'configured' as const })),
  );
  const known = new Set(config.addresses.map(formatAddress));
  const peers = configured.flatMap((one) => one.opinions).flatMap(([, opinion]) => opinion.peers);
  const others = peers.map(({ address }) => address).filter((address) => !known.has(formatAddress(address)));
  const found = await Promise.all(
    distinctAddresses(others).map((address) => examineSentinel(config, { address, origin: 'found' as const })),
  );
  const ids = new Set<string>();
  const answers = [...configured, ...found].filter(({ sentinel: { id } }) => {
    if (id === undefined) return true;
    const first = !ids.has(id);
    ids.add(id);
    return first;
  });
  const opinions = Map.groupBy(
    answers.flatMap((one) => one.opinions),
    ([name]) => name,
  );
  return {
    sentinels: answers.map(({ sentinel }) => sentinel),
    masters: new Map([...opinions].map(([name, list]) => [name, list.map(([, opinion]) => opinion)])),
    clocks: answers.flatMap(({ clock }) => clock ?? []),
  };
}

async function examineSentinel(
  config: SentinelConfig,
  { address, origin }: Pick<ExaminedSentinel, 'address' | 'origin'>,
): Promise<Answer> {
  const link = new RedisLink(address, revealAccess(config.access));
  try {
    const id = readId(await link.call(['SENTINEL', 'MYID'], { timeoutMs }).catch(() => undefined));
    const sentMs = Date.now();
    // Sentinels have no TIME. Since Redis 6.2, INFO has the clock, in another section than the state.
    const info = readInfo(await link.call(['INFO'], { timeoutMs }).catch(unlessRefused));
    const theirsMs = Number(info.get('server_time_usec')) / 1_000;
    // INFO reports a cached time, at most a tenth of a second old (server.hz).
    const read = { theirsMs, resolutionMs: 100, sentMs, receivedMs: Date.now() };
    const what = `SENTINEL MASTERS at ${formatAddress(address)}`;
    const listed = readFieldsList(await link.call(['SENTINEL', 'MASTERS'], { timeoutMs }), what);
    const names = listed.map(({ name = '' }) => name).filter((name) => matchesAny(config.masters, name));
    const answers = await Promise.all(names.map((name) => readOpinion(link, { name, id }).catch(unlessInvalid)));
    // The last command: afterwards the connection is a subscription. ioredis knows subscriptions by their name in small letters.
    await link.call(['psubscribe', '*'], { timeoutMs }).catch(unlessRefused);
    return {
      sentinel: {
        ...{ address, origin, state: { kind: 'reached' }, id, tiltSince: toTiltSince(info) },
        limits: link.refusedCommands,
      },
      opinions: names.flatMap((name, i) => (answers[i] === undefined ? [] : [[name, answers[i]] as const])),
      clock: compareClocks(formatAddress(address), read),
    };
  } catch (thrown) {
    const { message: why } = await link.explain(thrown);
    const sentinel = { address, origin, state: { kind: 'unreachable', why }, id: undefined, tiltSince: null } as const;
    return { sentinel, opinions: [], clock: undefined };
  } finally {
    link.close();
  }
}

function toTiltSince(info: ReturnType<typeof readInfo>): string | null {
  const since = readTiltSince(info, Date.now());
  return typeof since === 'number' ? new Date(since).toISOString() : since;
}

async function readOpinion(
  link: RedisLink,
  { name, id }: { readonly name: string; readonly id: string | undefined },
): Promise<SentinelOpinion> {
  const { address: sentinel } = link;
  const what = `SENTINEL MASTER ${name} at ${formatAddress(sentinel)}`;
  const ask: Ask = (args) => link.call(['SENTINEL', ...args], { timeoutMs });
  const [master, replicas, sentinels = []] = await Promise.all([
    askMaster(ask, name),
    askReplicas(ask, name),
    ask(['SENTINELS', name]).catch(unlessRefused),
  ]);
  const fields = readFields(master, what);
  const view = readView({ name, sentinelId: id ?? formatAddress(sentinel), sentinel, master, replicas });
  return {
    ...view,
    downAfterMs: readCount(fields, 'down-after-milliseconds', what),
    failoverTimeoutMs: readCount(fields, 'failover-timeout', what),
    peers: readFieldsList(sentinels, what).flatMap((peer) => {
      // Sentinel may have an empty or stale hostname.
      const address = readPeer(peer)?.address;
      const isDown = peer.flags?.split(',').includes('s_down') === true;
      return address === undefined ? [] : [{ address, condition: isDown ? 's_down' : 'up' } as const];
    }),
  };
}

/** Without the answer to a question that its user may not ask. */
function unlessRefused(thrown: unknown): undefined {
  if (SwitchmasterError.from(thrown).code !== 'redis-denied') throw thrown;
}

/** A master whose hostname the Sentinel cannot resolve has no address. The other masters are examined. */
function unlessInvalid(thrown: unknown): undefined {
  if (SwitchmasterError.from(thrown).code !== 'redis-answer-invalid') throw thrown;
}
