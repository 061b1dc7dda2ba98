import { isRefusal } from '../../client/redis-errors.ts';
import type { MonitoredMaster, SentinelPeer } from '../../client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { SentinelEvent } from '../../model/sentinel.ts';
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
  /** It says something else of a wanted master than before, and may have sent no message about it. */
  readonly onChange: (name: string) => void;
  /** It entered or left TILT mode, and no message said so. */
  readonly onTilt: () => void;
  /** It knows these other Sentinels, by its last answer about each master. */
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
  // Where its user may not receive messages, none shows a change.
  member.peers.markChanged(member.isSilent ? 'all' : options.changed, performance.now());
  try {
    const masters = await readMasters(member, options);
    // The next regular question is soon enough for the rest: with many masters it is much to answer.
    lateResult = 'asked';
    for (const name of member.learnNames(masters.map(({ name }) => name))) options.onMaster(name);
    for (const { name, isChanged } of masters) if (isChanged) options.onChange(name);
    await learnPeers(member, masters, options.onPeers);
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

/** Asks for the other Sentinels of those masters that may have others than it named last. Those without an answer still differ. */
async function learnPeers(
  { link, peers, questions }: SentinelMember,
  masters: readonly MonitoredMaster[],
  onPeers: DiscoveryOptions['onPeers'],
): Promise<void> {
  const askedMs = performance.now();
  const asked = masters.filter((master) => peers.mayDiffer(master, askedMs));
  const others = ({ name }: MonitoredMaster) =>
    questions.ask(() => link.others(name, { timeoutMs: askTimeoutMs })).catch(noneIfRefused);
  const answers = await Promise.allSettled(asked.map(others));
  const named = asked.flatMap(({ name }, i) => {
    const answer = answers[i];
    return answer?.status === 'fulfilled' ? [[name, answer.value] as const] : [];
  });
  peers.learn(masters, new Map(named), askedMs);
  onPeers(peers.all);
  const failure = answers.find((answer) => answer.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
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
    return candidates
      .filter((_, i) => monitored[i] === true)
      .map((name) => ({ name, others: undefined, isChanged: false }));
  }
}

function noneIfRefused(thrown: unknown): readonly SentinelPeer[] {
  if (SwitchmasterError.from(thrown).code === 'redis-denied') return [];
  throw thrown;
}

/** The masters whose other Sentinels may have changed, by this message; undefined: it is no reason to ask. */
export function mastersChangedBy({ event, master }: SentinelEvent): ReadonlySet<string> | 'all' | undefined {
  if (!discoveryEvents.has(event)) return undefined;
  // A Sentinel with a new address has it for all masters, but the message names one (sentinel.c, sentinelProcessHelloMessage).
  return master === undefined || event === '+sentinel-address-switch' ? 'all' : new Set([master]);
}

/** Messages after which there may be other masters or other Sentinels. */
const discoveryEvents: ReadonlySet<string> = new Set([
  '+monitor',
  '-monitor',
  '+reset-master',
  '+sentinel',
  '+sentinel-address-switch',
  '+reboot',
]);
