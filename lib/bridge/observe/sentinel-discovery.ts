import { isRefusal } from '../../client/redis-errors.ts';
import type { SentinelPeer } from '../../client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import { formatAddress } from '../../model/address.ts';
import { askTimeoutMs, type SentinelMember } from './sentinel-member.ts';

export interface DiscoveryOptions {
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
  /** Wanted masters that the config names, for a Sentinel that may not list its masters. */
  readonly named: readonly string[];
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
    const names = await readNames(member, options);
    // The next regular question is soon enough for the rest: with many masters it is much to answer.
    lateResult = 'asked';
    for (const name of member.learnNames(names)) options.onMaster(name);
    const others = (name: string) => link.others(name, { timeoutMs: askTimeoutMs }).catch(noneIfRefused);
    const lists = await Promise.all(names.map(others));
    const peers = lists.flat();
    member.learnPeers(new Set(peers.map(({ address }) => formatAddress(address))));
    options.onPeers(peers);
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

/** Without the list of its masters: those that the config names, and those that it had before. */
async function readNames(member: SentinelMember, { matches, named }: DiscoveryOptions): Promise<readonly string[]> {
  const { link } = member;
  try {
    return (await link.masterNames({ timeoutMs: askTimeoutMs })).filter(matches);
  } catch (thrown) {
    const candidates = [...new Set([...named, ...(member.names ?? [])])];
    if (candidates.length === 0 || SwitchmasterError.from(thrown).code !== 'redis-denied') throw thrown;
    const monitored = await Promise.all(candidates.map((name) => link.monitors(name, { timeoutMs: askTimeoutMs })));
    return candidates.filter((_, i) => monitored[i] === true);
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
