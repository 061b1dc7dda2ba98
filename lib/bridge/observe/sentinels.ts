import { performance } from 'node:perf_hooks';
import type { RedisAccess } from '../../client/redis-connection.ts';
import type { RefusedCommand } from '../../client/refused-commands.ts';
import type { SentinelLink } from '../../client/sentinel.ts';
import type { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import { Memo } from '../../model/memo.ts';
import type { SentinelEvent, SentinelVoter } from '../../model/sentinel.ts';
import { ticks } from '../../ticks.ts';
import { orderable } from '../plan/order-choice.ts';
import { DiscoveryRetries } from './discovery-retries.ts';
import type { Selection } from './election.ts';
import { discover, mastersChangedBy } from './sentinel-discovery.ts';
import { isTiltMessage, type SentinelMember, type ViewQuestion } from './sentinel-member.ts';
import { SentinelMembers } from './sentinel-members.ts';
import type { SentinelReading } from './sentinel-reading.ts';
import { UnifiedReadings, type UnifiedReadingsOptions } from './unified-readings.ts';

export interface SentinelHint {
  readonly sentinel: Address;
  readonly event: SentinelEvent;
  /** The failover of this master that this Sentinel leads, from the selection of a replica to the end. */
  readonly election: Selection | undefined;
}

export interface SentinelSourceOptions {
  readonly addresses: readonly Address[];
  readonly access: RedisAccess;
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
  /** The wanted masters that the config names without a pattern. */
  readonly named: readonly string[];
  /** Something happened that concerns this master. */
  readonly onHint: (name: string, hint: SentinelHint) => void;
  /** For the log. */
  readonly onLink: (link: {
    readonly sentinel: Address;
    readonly up: boolean;
    readonly error?: SwitchmasterError;
  }) => void;
  /** The record of a master, and the run ids of its servers: they show which names lead to one process. */
  readonly identity: UnifiedReadingsOptions;
  /** How often the source asks every Sentinel for new masters and other Sentinels. */
  readonly discoverMs: number;
}

/** Every Sentinel that can be found from the configured ones. Messages are hints: callers read the state back. */
export class SentinelSource {
  readonly #options: SentinelSourceOptions;
  readonly #members: SentinelMembers;
  readonly #unified: UnifiedReadings;
  readonly #retries: DiscoveryRetries<SentinelMember>;
  readonly #names = new Memo<readonly string[]>();
  #timer: NodeJS.Timeout | undefined;
  #stopPolling: () => void = () => undefined;

  constructor(options: SentinelSourceOptions) {
    this.#options = options;
    this.#unified = new UnifiedReadings(options.identity);
    this.#retries = new DiscoveryRetries({ firstMs: 1_000, mostMs: options.discoverMs });
    this.#members = new SentinelMembers({
      access: options.access,
      onEvent: (member, event) => this.#onEvent(member, event),
      onUp: (member) => void this.#connected(member),
      onDown: (member, error) => this.#disconnected(member, error),
    });
  }

  start(): void {
    for (const address of this.#options.addresses) this.#members.join({ address, id: undefined }, 'configured');
    this.#timer = setInterval(() => this.#discoverAll(), this.#options.discoverMs);
    this.#stopPolling = ticks.every(1, () => this.#poll());
  }

  /** Sentinels that Consul lists count as configured for as long as it lists them. */
  give(addresses: readonly Address[]): void {
    const listed = [...this.#options.addresses, ...addresses];
    const keys = new Set(listed.map(formatAddress));
    for (const address of listed) this.#members.join({ address, id: undefined }, 'configured');
    for (const member of this.#members)
      member.listAs(keys.has(formatAddress(member.link.address)) ? 'configured' : 'discovered');
    this.#members.forgetUnlisted();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stopPolling();
    this.#members.close();
  }

  /** Every wanted master that any Sentinel monitors, sorted. */
  get names(): readonly string[] {
    const lists = [...this.#members].flatMap(({ names }) => names ?? []);
    return this.#names.get(lists, () => [...new Set(lists.flatMap((names) => [...names]))].toSorted());
  }

  get sentinels(): readonly {
    readonly address: Address;
    readonly id: string;
    readonly up: boolean;
    readonly error: SwitchmasterError | undefined;
  }[] {
    return [...this.#members].map(({ link: { address, id }, up, error }) => ({ address, id, up, error }));
  }

  /** How many Sentinels of `name` there are, whether they answer or not. */
  count(name: string): number {
    return this.#members.count(name);
  }

  /**
   * Asks the Sentinels at `only`, or every one, about `name`, at the same time. Each process has one address. Default timeout: 1 s.
   */
  async read(
    name: string,
    options: ViewQuestion & { readonly only?: readonly Address[] } = {},
  ): Promise<readonly SentinelReading[]> {
    const wanted = options.only === undefined ? undefined : new Set(options.only.map(formatAddress));
    const members = [...this.#members].filter(({ link }) => wanted?.has(formatAddress(link.address)) ?? true);
    const readings = await Promise.all(members.map((member) => member.read(name, options)));
    // Whether a Sentinel of other masters can be reached says nothing about this one.
    const counted = readings.filter((reading, i) => {
      const member = members[i];
      if (reading.kind !== 'unreachable' || reading.hasMonitored || member === undefined) return true;
      return this.#members.hasVote(member, name);
    });
    return this.#unified.unify(name, counted);
  }

  /** The Sentinels with a say about `name`. */
  voters(name: string): readonly SentinelVoter[] {
    return this.#members
      .voters(name)
      .map(({ link, names }) => ({ address: link.address, state: names === undefined ? 'unasked' : 'monitors' }));
  }

  /** The Sentinels that were never reached, and do not count for `name` because its own Sentinels do not list them. */
  uncounted(name: string): readonly { readonly address: Address; readonly error: SwitchmasterError }[] {
    return this.#members
      .uncounted(name)
      .flatMap(({ link: { address }, error }) => (error === undefined ? [] : [{ address, error }]));
  }

  /** What Sentinels with a say about `name` refuse, although they answer. */
  limits(name: string): readonly (RefusedCommand & { readonly address: Address })[] {
    return this.#members
      .voters(name)
      .filter(({ link }) => link.up)
      .flatMap(({ link: { address, refusedCommands } }) => refusedCommands.map((refused) => ({ address, ...refused })));
  }

  /** A Sentinel that monitors `name` and can be reached: the one at `address`, or any that can be ordered to fail over. */
  linkTo(name: string, address?: Address): SentinelLink | undefined {
    const found = [...this.#members].filter(
      ({ link, names }) =>
        link.up && names?.has(name) === true && (address === undefined || sameAddress(link.address, address)),
    );
    return orderable(found)[0]?.link;
  }

  /** The failover of `name` that the Sentinel at `address` leads, from the selection of a replica to the end. */
  election(name: string, address: Address): Selection | undefined {
    const member = [...this.#members].find(({ link }) => sameAddress(link.address, address));
    return member && this.#electionOf(member, name);
  }

  async #connected(member: SentinelMember): Promise<void> {
    if (!this.#members.has(member)) return;
    if (this.#members.isDuplicate(member)) return this.#members.leave(member);
    this.#options.onLink({ sentinel: member.link.address, up: true });
    await this.#discover(member, 'all');
    this.#hintAll(member, 'connected');
  }

  #disconnected(member: SentinelMember, error: SwitchmasterError): void {
    if (!this.#members.has(member)) return;
    this.#options.onLink({ sentinel: member.link.address, up: false, error });
    this.#hintAll(member, 'disconnected');
  }

  #onEvent(member: SentinelMember, event: SentinelEvent): void {
    if (!this.#members.has(member)) return;
    const changed = mastersChangedBy(event);
    if (changed !== undefined) void this.#discover(member, changed);
    if (event.master !== undefined) {
      if (this.#options.matches(event.master)) this.#hint(event.master, member, event);
    } else if (isTiltMessage(event)) {
      this.#hintAll(member, event.event);
    }
  }

  #hintAll(member: SentinelMember, event: string): void {
    for (const name of member.names ?? []) this.#hint(name, member, changeOf(name, event));
  }

  #hint(name: string, member: SentinelMember, event: SentinelEvent): void {
    const target = event.target === undefined ? undefined : this.#unified.canonical(name, event.target);
    const election = this.#electionOf(member, name);
    this.#options.onHint(name, { sentinel: member.link.address, event: { ...event, target }, election });
  }

  #electionOf(member: SentinelMember, name: string): Selection | undefined {
    const election = member.election(name);
    if (election === undefined) return undefined;
    const canonical = (address: Address): Address => this.#unified.canonical(name, address);
    return { ...election, selected: canonical(election.selected), replaced: canonical(election.replaced) };
  }

  /** A Sentinel that may not send its messages gives no other hint. One that did not answer in time is asked again. */
  #poll(): void {
    for (const member of this.#members) {
      if (!member.link.up) continue;
      if (member.isSilent) this.#hintAll(member, 'polled');
      if (this.#retries.isDue(member, performance.now())) void this.#discover(member, new Set());
    }
  }

  #discoverAll(): void {
    for (const member of this.#members)
      if (member.link.up && !this.#retries.isRunning(member)) void this.#discover(member, new Set());
  }

  async #discover(member: SentinelMember, changed: ReadonlySet<string> | 'all'): Promise<void> {
    this.#retries.began(member);
    const result = await discover(member, {
      matches: this.#options.matches,
      named: this.#options.named,
      changed,
      onMaster: (name) => this.#hint(name, member, changeOf(name, 'found')),
      onChange: (name) => this.#hint(name, member, changeOf(name, 'changed')),
      onTilt: () => this.#hintAll(member, 'tilt'),
      onPeers: (peers) => {
        for (const peer of peers) this.#members.join(peer, 'discovered');
        this.#members.forgetUnlisted();
      },
      onError: (error) => {
        if (!this.#retries.isUnanswered(member))
          this.#options.onLink({ sentinel: member.link.address, up: true, error });
      },
    });
    const answered = result !== 'unanswered' || !member.link.up;
    this.#retries.ended(member, { answered, nowMs: performance.now() });
  }
}

/** A change that the source itself noticed, in the form of a Sentinel's message. */
function changeOf(master: string, event: string): SentinelEvent {
  return { event, master, target: undefined, message: '' };
}
