import type { SentinelPeer } from '../../client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import { formatAddress } from '../../model/address.ts';
import { askTimeoutMs, type SentinelMember } from './sentinel-member.ts';

export interface DiscoveryOptions {
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
  /** A Sentinel monitors a wanted master that it did not monitor when it was asked last. */
  readonly onMaster: (name: string) => void;
  /** A Sentinel knows these other Sentinels. */
  readonly onPeers: (peers: readonly SentinelPeer[]) => void;
  /** It could not be asked although its link is up. The same refusal is reported once. */
  readonly onError: (error: SwitchmasterError) => void;
}

/** Asks a Sentinel which masters it monitors, and which other Sentinels it knows. The next call repairs a failed one. */
export async function discover(member: SentinelMember, options: DiscoveryOptions): Promise<void> {
  const { link } = member;
  try {
    const names = (await link.masterNames({ timeoutMs: askTimeoutMs })).filter(options.matches);
    for (const name of member.learnNames(names)) options.onMaster(name);
    const lists = await Promise.all(names.map((name) => link.others(name, { timeoutMs: askTimeoutMs })));
    const peers = lists.flat();
    member.learnPeers(new Set(peers.map(({ address }) => formatAddress(address))));
    options.onPeers(peers);
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (!link.up) return;
    const isRefusal = error.code === 'redis-refused' || error.code === 'redis-denied';
    if (!isRefusal || member.learnRefusal(error)) options.onError(error);
  }
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
