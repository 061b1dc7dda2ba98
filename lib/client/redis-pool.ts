import { type Address, formatAddress } from '../model/address.ts';
import { linkFaults } from '../model/link-fault.ts';
import type { RoleAnswer } from '../model/sentinel.ts';
import { ticks } from '../ticks.ts';
import { RedisLink } from './redis.ts';
import type { RedisAccess } from './redis-connection.ts';
import type { RefusedCommand } from './refused-commands.ts';

export interface RedisPoolHooks {
  /** Called after each connect: the process there may have restarted. */
  readonly onUp?: (address: Address, owners: readonly string[]) => void;
  /** Called when the other side closed a connection that was established. */
  readonly onClosed?: (address: Address, owners: readonly string[]) => void;
  /** Called when the result of `refusals` or `unreached` for these owners changed. */
  readonly onAccessChange?: (owners: readonly string[]) => void;
}

/** A server that refuses access, or cannot be reached. */
export interface Refusal {
  readonly address: Address;
  /** The server's answer or the reason, as in `NOAUTH Authentication required.` */
  readonly says: string;
  /** What to do about it, where the cause is known. */
  readonly hint: string | undefined;
}

const greetingTimeoutMs = 2_000;
/** How often the bridge asks a server again that refused something: no server reports a changed ACL. */
const recheckSeconds = 10;

type Commands = readonly (readonly [string, ...(string | number)[]])[];

/** A command that a server refuses. */
export interface LimitedServer extends RefusedCommand {
  readonly address: Address;
}

/** Connections to every Redis that may be asked for its ROLE or fenced, opened before they are needed. */
export class RedisPool {
  readonly #access: RedisAccess;
  readonly #hooks: RedisPoolHooks;
  readonly #probes: Commands;
  readonly #stopRechecks: () => void;
  #closed = false;
  readonly #links = new Map<string, RedisLink>();
  /** The addresses by owner. A link without an owner is closed. */
  readonly #wanted = new Map<string, readonly string[]>();
  /** The owners by address, so that a change of one master among thousands costs no more than itself. Usually one. */
  readonly #owners = new Map<string, readonly string[]>();
  /** The links without an owner: until the next `keep`, which closes them. */
  readonly #unowned = new Set<string>();

  /** `probes`: sent after each connect, to learn which commands the server refuses. */
  constructor(access: RedisAccess, hooks: RedisPoolHooks = {}, probes: Commands = []) {
    this.#access = access;
    this.#hooks = hooks;
    this.#probes = probes;
    this.#stopRechecks = ticks.every(recheckSeconds, () => this.#greetLimited(), { keepsProcess: false });
  }

  /** Sets the addresses of `owner` and connects to them. */
  keep(owner: string, addresses: readonly Address[]): void {
    if (this.#closed) return;
    const before = this.#wanted.get(owner) ?? [];
    const wanted = new Set(addresses.map(formatAddress));
    if (wanted.size === 0) this.#wanted.delete(owner);
    else this.#wanted.set(owner, Array.from(wanted));
    for (const key of wanted)
      if (!this.#ownersOf(key).includes(owner)) this.#owners.set(key, this.#ownersOf(key).concat(owner));
    for (const address of addresses) this.#link(address);
    for (const key of before) if (!wanted.has(key)) this.#disown(key, owner);
    for (const key of this.#unowned) this.#closeUnowned(key);
    this.#unowned.clear();
  }

  /** Asks for ROLE. Never rejects: `unreachable` is an answer. */
  role(address: Address, options: { readonly timeoutMs: number }): Promise<RoleAnswer> {
    return this.#link(address).role(options);
  }

  /** INFO's run_id, which no two processes share; undefined where the server does not answer or does not show it. */
  runId(address: Address, options: { readonly timeoutMs: number }): Promise<string | undefined> {
    return this.#link(address).runId(options);
  }

  /** Sends commands only over an established connection: see {@link RedisLink.callNow}. */
  command(address: Address, commands: Commands, options: { readonly timeoutMs: number }): Promise<readonly unknown[]> {
    return this.#link(address).callNow(commands, options);
  }

  /** A further connection, for commands that block. The caller closes it. */
  openLink(address: Address): RedisLink {
    return new RedisLink(address, this.#access);
  }

  /** See {@link RedisLink.connected}. */
  connected(address: Address, options: { readonly timeoutMs: number }): Promise<void> {
    return this.#link(address).connected(options);
  }

  /** See {@link RedisLink.ended}. */
  ended(address: Address, signal: AbortSignal): Promise<void> {
    return this.#link(address).ended(signal);
  }

  /** The servers of `owner` that refuse access, with their answers. */
  refusals(owner: string): readonly Refusal[] {
    return this.#linksOf(owner).flatMap((link) => toRefusal(link, link.refusal));
  }

  /** The servers of `owner` that were never reached, or that cannot be for a cause that lasts, with the reasons. */
  unreached(owner: string): readonly Refusal[] {
    return this.#linksOf(owner).flatMap((link) => toRefusal(link, link.unreached));
  }

  /** The commands that servers of `owner` refuse, although they let the bridge in. */
  limits(owner: string): readonly LimitedServer[] {
    return this.#linksOf(owner).flatMap(({ address, refusal, refusedCommands }) =>
      refusal === undefined ? refusedCommands.map((refused) => ({ address, ...refused })) : [],
    );
  }

  /** Closes all links for good. A later request is unanswered and opens no lasting connection. */
  close(): void {
    this.#closed = true;
    this.#stopRechecks();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#wanted.clear();
    this.#owners.clear();
    this.#unowned.clear();
  }

  /** Finds out before a failover what the server grants. */
  #greet(link: RedisLink): void {
    void link.role({ timeoutMs: greetingTimeoutMs });
    if (this.#probes.length > 0) void probeRights(link, this.#probes).catch(() => {});
  }

  #greetLimited(): void {
    for (const link of this.#links.values()) {
      if (link.refusal !== undefined || link.refusedCommands.length > 0) this.#greet(link);
    }
  }

  #linksOf(owner: string): readonly RedisLink[] {
    return (this.#wanted.get(owner) ?? []).flatMap((key) => this.#links.get(key) ?? []);
  }

  #disown(key: string, owner: string): void {
    const others = this.#ownersOf(key).filter((one) => one !== owner);
    if (others.length > 0) {
      this.#owners.set(key, others);
      return;
    }
    this.#owners.delete(key);
    this.#unowned.add(key);
  }

  #closeUnowned(key: string): void {
    if (this.#owners.has(key)) return;
    this.#links.get(key)?.close();
    this.#links.delete(key);
  }

  #ownersOf(key: string): readonly string[] {
    return this.#owners.get(key) ?? [];
  }

  #link(address: Address): RedisLink {
    const key = formatAddress(address);
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const { onUp, onClosed, onAccessChange } = this.#hooks;
    const link: RedisLink = new RedisLink(address, this.#access, {
      onUp: () => {
        this.#greet(link);
        onUp?.(address, this.#ownersOf(key));
      },
      onClosed: () => onClosed?.(address, this.#ownersOf(key)),
      onAccessChange: () => onAccessChange?.(this.#ownersOf(key)),
    });
    if (this.#closed) link.close();
    else this.#links.set(key, link);
    if (!this.#owners.has(key)) this.#unowned.add(key);
    return link;
  }
}

/** Sends the probes, and the older name of REPLICAOF where only that may be permitted. Rejects without a connection. */
export async function probeRights(link: RedisLink, probes: Commands): Promise<void> {
  await link.callNow(probes, { timeoutMs: greetingTimeoutMs });
  if (!link.refusedCommands.some(({ command }) => command === 'REPLICAOF')) return;
  await link.callNow([['SLAVEOF', 'x', 'x']], { timeoutMs: greetingTimeoutMs });
}

function toRefusal({ address, fault }: RedisLink, says: string | undefined): readonly Refusal[] {
  if (says === undefined) return [];
  return [{ address, says, hint: fault === undefined ? undefined : linkFaults[fault].hint }];
}
