import type { RedisAccess } from '../../client/redis.ts';
import { SentinelLink } from '../../client/sentinel.ts';
import type { SentinelPeer } from '../../client/sentinel-shapes.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { Election, SentinelEvent } from '../../model/sentinel.ts';
import { type Elections, hearElection, noElections, wonElection } from './election.ts';
import type { SentinelReading } from './sentinel-reading.ts';

export interface SentinelHint {
  readonly sentinel: Address;
  readonly event: SentinelEvent;
  /** The failover of this master that this Sentinel leads, from the moment it has selected a replica to its end. */
  readonly election: Election | undefined;
}

export interface SentinelSourceOptions {
  readonly addresses: readonly Address[];
  readonly access: RedisAccess;
  /** Which masters are wanted. */
  readonly matches: (name: string) => boolean;
  /** Something happened that concerns this master. */
  readonly onHint: (name: string, hint: SentinelHint) => void;
  /** For the log. */
  readonly onLink: (link: {
    readonly sentinel: Address;
    readonly up: boolean;
    readonly error?: SwitchmasterError;
  }) => void;
  /** How often Sentinels and masters are looked for again. Default 30,000. */
  readonly discoverMs?: number;
}

interface Member {
  readonly link: SentinelLink;
  origin: 'configured' | 'discovered';
  /** Its id by the other Sentinels. */
  toldId: string | undefined;
  /** What it monitors of what is wanted; undefined until it was asked. */
  names: ReadonlySet<string> | undefined;
  /** What it has monitored so far. */
  readonly known: Set<string>;
  /** Where the Sentinels are that it knows. */
  peers: ReadonlySet<string>;
  /** What it said of the failovers that it leads, since the link is up. */
  elections: Elections;
}

const askTimeoutMs = 1_000;

/**
 * Every Sentinel that can be found from the configured ones. Its messages are hints; what counts is read back.
 * A Sentinel known by two addresses is one (by its id), so that it never votes twice.
 */
export class SentinelSource {
  readonly #options: SentinelSourceOptions;
  readonly #members = new Map<string, Member>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SentinelSourceOptions) {
    this.#options = options;
  }

  start(): void {
    for (const address of this.#options.addresses) this.#join({ address, id: undefined }, 'configured');
    this.#timer = setInterval(() => this.#discoverAll(), this.#options.discoverMs ?? 30_000);
  }

  /** Sentinels that Consul lists: as good as configured ones for as long as it does. */
  give(addresses: readonly Address[]): void {
    const listed = [...this.#options.addresses, ...addresses];
    const keys = new Set(listed.map(formatAddress));
    for (const address of listed) this.#join({ address, id: undefined }, 'configured');
    for (const [key, member] of this.#members) member.origin = keys.has(key) ? 'configured' : 'discovered';
    this.#forgetStrangers();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { link } of this.#members.values()) link.close();
    this.#members.clear();
  }

  /** Every master that any Sentinel monitors and that is wanted, sorted. */
  get names(): readonly string[] {
    return [...new Set([...this.#members.values()].flatMap(({ names }) => [...(names ?? [])]))].toSorted();
  }

  get sentinels(): readonly {
    readonly address: Address;
    readonly id: string;
    readonly up: boolean;
    readonly error: SwitchmasterError | undefined;
  }[] {
    return [...this.#members.values()].map(({ link }) => ({
      address: link.address,
      id: link.id,
      up: link.up,
      error: link.error,
    }));
  }

  /**
   * How many Sentinels of `name` there are, whether they answer or not. One that was not reached yet may be one that is
   * known by another address, so those that are configured and those whose ids are known are counted apart.
   */
  count(name: string): number {
    const members = [...this.#members.values()].filter(({ names }) => names?.has(name) ?? true);
    const configured = members.filter(({ origin }) => origin === 'configured');
    const ids = members.map(knownId).filter((id) => id !== undefined);
    const distinct = new Set(configured.map((member) => knownId(member) ?? formatAddress(member.link.address)));
    return Math.max(distinct.size, new Set(ids).size);
  }

  /**
   * Asks Sentinels about `name`, all at once: those at `only`, or every one. One that does not answer within a second is
   * `unreachable`.
   */
  async read(name: string, options: { readonly only?: readonly Address[] } = {}): Promise<readonly SentinelReading[]> {
    const wanted = options.only === undefined ? undefined : new Set(options.only.map(formatAddress));
    const members = [...this.#members].filter(([key]) => wanted?.has(key) ?? true);
    return Promise.all(members.map(([, member]) => readOne(member, name)));
  }

  /** A Sentinel that monitors `name` and can be reached: the one at `address`, or any. */
  linkTo(name: string, address?: Address): SentinelLink | undefined {
    return [...this.#members.values()].find(
      ({ link, names }) =>
        link.up && names?.has(name) === true && (address === undefined || sameAddress(link.address, address)),
    )?.link;
  }

  #join({ address, id }: SentinelPeer, origin: Member['origin']): void {
    const key = formatAddress(address);
    const known = this.#members.get(key);
    if (known !== undefined) known.toldId = id ?? known.toldId;
    if (this.#closed || known !== undefined) return;
    const link = new SentinelLink({
      address,
      access: this.#options.access,
      onEvent: (event) => this.#heard(key, event),
      onUp: () => void this.#connected(key),
      onDown: (error) => this.#disconnected(key, error),
    });
    this.#members.set(key, {
      link,
      origin,
      toldId: id,
      names: undefined,
      known: new Set(),
      peers: new Set(),
      elections: noElections,
    });
  }

  async #connected(key: string): Promise<void> {
    const member = this.#members.get(key);
    if (member === undefined) return;
    if (this.#isTwin(member)) return this.#leave(key, member);
    this.#options.onLink({ sentinel: member.link.address, up: true });
    await this.#discover(member);
    this.#hintAll(member, 'connected');
  }

  #disconnected(key: string, error: SwitchmasterError): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.elections = noElections;
    this.#options.onLink({ sentinel: member.link.address, up: false, error });
    this.#hintAll(member, 'disconnected');
  }

  /** The same Sentinel by another address: the configured one stays. */
  #isTwin({ link, origin }: Member): boolean {
    const twins = [...this.#members.values()].filter((other) => other.link !== link && other.link.id === link.id);
    return origin === 'discovered' && twins.length > 0;
  }

  #leave(key: string, { link }: Member): void {
    this.#members.delete(key);
    link.close();
  }

  /** Discovered Sentinels that are gone and that none of the others lists any more. */
  #forgetStrangers(): void {
    const listed = new Set([...this.#members.values()].flatMap(({ link, peers }) => (link.up ? [...peers] : [])));
    for (const [key, member] of this.#members) {
      if (member.origin === 'discovered' && !member.link.up && !listed.has(key)) this.#leave(key, member);
    }
  }

  #heard(key: string, event: SentinelEvent): void {
    const member = this.#members.get(key);
    if (member === undefined) return;
    member.elections = hearElection(member.elections, event);
    if (discoveryEvents.has(event.event)) void this.#discover(member);
    if (event.master !== undefined) {
      if (this.#options.matches(event.master)) this.#hint(event.master, member, event);
    } else if (event.event === '+tilt' || event.event === '-tilt') {
      this.#hintAll(member, event.event);
    }
  }

  #hintAll(member: Member, event: string): void {
    for (const name of member.names ?? []) {
      this.#hint(name, member, { event, master: name, lookAt: undefined, message: '' });
    }
  }

  #hint(name: string, { link, elections }: Member, event: SentinelEvent): void {
    this.#options.onHint(name, { sentinel: link.address, event, election: wonElection(elections, name) });
  }

  #discoverAll(): void {
    for (const member of this.#members.values()) if (member.link.up) void this.#discover(member);
  }

  /** Which masters it monitors, and which other Sentinels it knows; a failure is made good by the next one. */
  async #discover(member: Member): Promise<void> {
    const { link } = member;
    try {
      const names = (await link.masterNames({ timeoutMs: askTimeoutMs })).filter(this.#options.matches);
      const fresh = names.filter((name) => !member.names?.has(name));
      member.names = new Set(names);
      for (const name of names) member.known.add(name);
      for (const name of fresh)
        this.#hint(name, member, { event: 'found', master: name, lookAt: undefined, message: '' });
      const lists = await Promise.all(names.map((name) => link.others(name, { timeoutMs: askTimeoutMs })));
      const peers = lists.flat();
      member.peers = new Set(peers.map(({ address }) => formatAddress(address)));
      for (const peer of peers) this.#join(peer, 'discovered');
      this.#forgetStrangers();
    } catch (thrown) {
      if (link.up) this.#options.onLink({ sentinel: link.address, up: true, error: SwitchmasterError.from(thrown) });
    }
  }
}

/** After these there may be other masters or other Sentinels. */
const discoveryEvents: ReadonlySet<string> = new Set([
  '+monitor',
  '-monitor',
  '+reset-master',
  '+sentinel',
  '+sentinel-address-switch',
  '+reboot',
]);

function knownId({ link, toldId }: Member): string | undefined {
  return link.provenId ?? toldId;
}

async function readOne(member: Member, name: string): Promise<SentinelReading> {
  const { link } = member;
  const who = { sentinel: link.address, sentinelId: link.id };
  const knewIt = member.known.has(name);
  if (link.error !== undefined) return { kind: 'unreachable', ...who, knewIt, error: link.error };
  try {
    const view = await link.view(name, { timeoutMs: askTimeoutMs });
    const election = wonElection(member.elections, name);
    return { kind: 'seen', ...who, view: election === undefined ? view : { ...view, election } };
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (error.code === 'sentinel-master-unknown') return { kind: 'unaware', ...who, knewIt };
    return { kind: 'unreachable', ...who, knewIt, error };
  }
}
