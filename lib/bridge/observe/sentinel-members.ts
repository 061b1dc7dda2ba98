import type { SentinelPeer } from '../../client/sentinel-shapes.ts';
import { formatAddress } from '../../model/address.ts';
import { countsUnasked } from '../../model/sentinel.ts';
import { SentinelMember, type SentinelMemberOptions } from './sentinel-member.ts';

/** The Sentinels that the bridge has a link to, by address. A Sentinel known by two addresses is counted once, by its id. */
export class SentinelMembers {
  readonly #options: Omit<SentinelMemberOptions, 'address' | 'id' | 'origin'>;
  readonly #members = new Map<string, SentinelMember>();
  #closed = false;

  constructor(options: Omit<SentinelMemberOptions, 'address' | 'id' | 'origin'>) {
    this.#options = options;
  }

  [Symbol.iterator](): Iterator<SentinelMember> {
    return this.#members.values();
  }

  /** Whether `member` has not been removed meanwhile. */
  has(member: SentinelMember): boolean {
    return this.#members.get(formatAddress(member.link.address)) === member;
  }

  /** Connects to a Sentinel that is not known yet. */
  join({ address, id }: SentinelPeer, origin: SentinelMember['origin']): void {
    const key = formatAddress(address);
    const known = this.#members.get(key);
    if (known !== undefined) {
      if (id !== undefined) known.learnId(id);
    } else if (!this.#closed) this.#members.set(key, new SentinelMember({ ...this.#options, address, id, origin }));
  }

  leave(member: SentinelMember): void {
    this.#members.delete(formatAddress(member.link.address));
    member.link.close();
  }

  /** Whether it was discovered by a second address of a Sentinel that is known already. */
  isDuplicate({ link, origin }: SentinelMember): boolean {
    return origin === 'discovered' && [...this].some((other) => other.link !== link && other.link.id === link.id);
  }

  /** Removes the discovered Sentinels that are down and that no other one lists any more. */
  forgetUnlisted(): void {
    const listed = new Set([...this].flatMap(({ link, peers }) => (link.up ? [...peers.addresses] : [])));
    for (const [key, member] of this.#members) {
      if (member.origin === 'discovered' && !member.link.up && !listed.has(key)) this.leave(member);
    }
  }

  /**
   * How many Sentinels of `name` there are, whether they answer or not. One that was not reached yet may be known by
   * another address, so configured ones and ones whose ids are known are counted apart.
   */
  count(name: string): number {
    const members = this.voters(name);
    const configured = members.filter(({ origin }) => origin === 'configured');
    const ids = members.map(({ knownId }) => knownId).filter((id) => id !== undefined);
    const distinct = new Set(configured.map((member) => member.knownId ?? formatAddress(member.link.address)));
    return Math.max(distinct.size, new Set(ids).size);
  }

  /** Whether it has a say about `name`: see {@link uncounted}. */
  hasVote(member: SentinelMember, name: string): boolean {
    return this.voters(name).includes(member);
  }

  /** The Sentinels that were never asked, and do not count for `name` (see {@link countsUnasked}). */
  uncounted(name: string): readonly SentinelMember[] {
    const voters = this.voters(name);
    return [...this].filter((member) => member.names === undefined && !voters.includes(member));
  }

  /** The Sentinels that monitored `name` when they were asked last, and the never asked ones that count for it. */
  voters(name: string): readonly SentinelMember[] {
    const own = [...this].filter(({ names }) => names?.has(name) === true);
    const peersOfOwn = own.map(({ peers }) => peers.addresses);
    const counts = ({ names, link }: SentinelMember) =>
      names?.has(name) ?? countsUnasked(formatAddress(link.address), peersOfOwn);
    return [...this].filter(counts);
  }

  close(): void {
    this.#closed = true;
    for (const member of [...this]) this.leave(member);
  }
}
