import { lookup } from 'node:dns/promises';
import { isDeepStrictEqual } from 'node:util';
import { canonicalHost, isIpAddress } from '../../model/address.ts';

export interface HostAddressesOptions {
  /** Resolves a hostname; rejects where it has no address now. Default: this machine's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** The addresses of a hostname became known or changed. */
  readonly onChange: () => void;
  /** How long an answer counts before the next question. Default: 30 s. */
  readonly freshMs?: number;
  /** The time until a failed question is repeated; it doubles up to a minute. Default: 2 s. */
  readonly retryMs?: number;
}

interface Known {
  /** undefined until the resolver has answered once. */
  readonly addresses: readonly string[] | undefined;
  readonly failures: number;
  readonly dueMs: number;
}

/** Node's resolver blocks one of four threads for each question, and a dead server holds a question for many seconds. */
const questionsAtOnce = 2;
const longestRetryMs = 60_000;

/** The addresses of hostnames, resolved in the background. While a name cannot be resolved, its last addresses count. */
export class HostAddresses {
  readonly #resolve: (host: string) => Promise<readonly string[]>;
  readonly #options: HostAddressesOptions;
  readonly #known = new Map<string, Known>();
  readonly #asking = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: HostAddressesOptions) {
    this.#options = options;
    this.#resolve = options.resolve ?? resolveHost;
  }

  /** Resolves the names among these hosts from now on, and no others. */
  follow(hosts: readonly string[]): void {
    const names = new Set(hosts.map(canonicalHost).filter((host) => !isIpAddress(host)));
    for (const name of this.#known.keys()) if (!names.has(name)) this.#known.delete(name);
    const unknown: Known = { addresses: undefined, failures: 0, dueMs: performance.now() };
    for (const name of names) if (!this.#known.has(name)) this.#known.set(name, unknown);
    this.#ask();
  }

  /** The last known addresses of a followed name; of an IP address, itself. */
  of(host: string): readonly string[] {
    const name = canonicalHost(host);
    return isIpAddress(name) ? [name] : (this.#known.get(name)?.addresses ?? []);
  }

  /** Whether nobody knows the addresses of this followed name yet. */
  isUnresolved(host: string): boolean {
    const known = this.#known.get(canonicalHost(host));
    return known !== undefined && known.addresses === undefined;
  }

  close(): void {
    this.#known.clear();
    clearTimeout(this.#timer);
  }

  /** Asks for the names that are due, those first that were never answered and failed least. */
  #ask(): void {
    clearTimeout(this.#timer);
    const free = [...this.#known].filter(([name]) => !this.#asking.has(name)).sort(([, a], [, b]) => rank(a) - rank(b));
    const due = free.filter(([, { dueMs }]) => dueMs <= performance.now());
    for (const [name] of due.slice(0, questionsAtOnce - this.#asking.size)) void this.#askFor(name);
    // An answer asks for the next ones.
    if (free.length === 0 || this.#asking.size >= questionsAtOnce) return;
    const nextMs = Math.min(...free.map(([, { dueMs }]) => dueMs)) - performance.now();
    this.#timer = setTimeout(() => this.#ask(), Math.max(1, nextMs));
  }

  async #askFor(name: string): Promise<void> {
    this.#asking.add(name);
    const answer = await this.#resolve(name).then(
      (addresses) => [...new Set(addresses.map(canonicalHost))].sort(),
      () => undefined,
    );
    this.#asking.delete(name);
    const before = this.#known.get(name);
    if (before !== undefined) this.#known.set(name, this.#after(before, answer));
    if (before !== undefined && answer !== undefined && !isDeepStrictEqual(answer, before.addresses))
      this.#options.onChange();
    this.#ask();
  }

  #after(before: Known, answer: readonly string[] | undefined): Known {
    const { freshMs = 30_000, retryMs = 2_000 } = this.#options;
    const nowMs = performance.now();
    if (answer !== undefined) return { addresses: answer, failures: 0, dueMs: nowMs + freshMs };
    const waitMs = Math.min(retryMs * 2 ** before.failures, longestRetryMs);
    return { addresses: before.addresses, failures: before.failures + 1, dueMs: nowMs + waitMs };
  }
}

function rank({ addresses, failures }: Known): number {
  return addresses === undefined ? failures : Number.MAX_SAFE_INTEGER;
}

async function resolveHost(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}
