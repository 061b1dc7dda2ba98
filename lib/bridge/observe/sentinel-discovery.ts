import { isRefusal } from '../../client/redis-errors.ts';
import type { MonitoredMaster, SentinelPeer } from '../../client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import { askTimeoutMs, type SentinelMember } from './sentinel-member.ts';

export interface DiscoveryOptions {
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
  /** Wanted masters that the config names, for a Sentinel that may not list its masters. */
  readonly named: readonly string[];
  /** The masters whose other Sentinels may have changed, although their number has not. */
  readonly changed: ReadonlySet<string> | 'all';
  /** A Sentinel monitors a wanted master that it did not monitor when it was asked last. */
  readonly onMaster: (name: string) => void;
  /** It entered or left TILT mode, and no message said so. */
  readonly onTilt: () => void;
  /** A Sentinel knows these other Sentinels. */
  readonly onPeers: (peers: readonly SentinelPeer[]) => void;
  /** It could not be asked although its link is up. The same refusal is reported once. */
  readonly onError: (error: SwitchmasterError) => void;
}

/**
 * Asks a Sentinel which masters it monitors, which other Sentinels it knows, and whether it is in TILT mode. `unanswered`: it did
 * not say in time which masters it monitors.
 */
export async function discover(
  member: SentinelMember,
  options: DiscoveryOptions,
): Promise<'asked' | 'refused' | 'unanswered'> {
  const { link } = member;
  let lateResult: 'asked' | 'unanswered' = 'unanswered';
  try {
    const masters = await readMasters(member, options);
    // The next regular question is soon enough for the rest: with many masters it is much to answer.
    lateResult = 'asked';
    for (const name of member.learnNames(masters.map(({ name }) => name))) options.onMaster(name);
    await learnPeers(member, masters, options);
    if (await member.learnTilt()) options.onTilt();
    return 'asked';
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (!link.up) return 'unanswered';
    const refuses = isRefusal(error);
    if (!refuses || member.learnRefusal(error)) options.onError(error);
    return refuses ? 'refused' : lateResult;
  }
}

/** Asks for the other Sentinels of those masters that may have others than it named last. */
async function learnPeers(
  member: SentinelMember,
  masters: readonly MonitoredMaster[],
  { changed, onPeers }: DiscoveryOptions,
): Promise<void> {
  const asked = masters.filter(
    (master) => changed === 'all' || changed.has(master.name) || member.peers.mayDiffer(master, performance.now()),
  );
  const others = ({ name }: MonitoredMaster) =>
    member.link.others(name, { timeoutMs: askTimeoutMs }).catch(noneIfRefused);
  const lists = await Promise.all(asked.map(others));
  const named = asked.map(({ name }, i) => [name, lists[i] ?? []] as const);
  member.peers.learn(masters, new Map(named), performance.now());
  onPeers(lists.flat());
}

/** Without the list of its masters: those that the config names, and those that it had before. */
async function readMasters(
  member: SentinelMember,
  { matches, named }: DiscoveryOptions,
): Promise<readonly MonitoredMaster[]> {
  const { link } = member;
  try {
    return (await link.masters({ timeoutMs: askTimeoutMs })).filter(({ name }) => matches(name));
  } catch (thrown) {
    const candidates = [...new Set([...named, ...(member.names ?? [])])];
    if (candidates.length === 0 || SwitchmasterError.from(thrown).code !== 'redis-denied') throw thrown;
    const monitored = await Promise.all(candidates.map((name) => link.monitors(name, { timeoutMs: askTimeoutMs })));
    return candidates.filter((_, i) => monitored[i] === true).map((name) => ({ name, others: undefined }));
  }
}

function noneIfRefused(thrown: unknown): readonly SentinelPeer[] {
  if (SwitchmasterError.from(thrown).code === 'redis-denied') return [];
  throw thrown;
}

/** Messages after which there may be other masters or other Sentinels. */
export const discoveryEvents: ReadonlySet<string> = new Set([
  '+monitor',
  '-monitor',
  '+reset-master',
  '+sentinel',
  '+sentinel-address-switch',
  '+reboot',
]);
