import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { promisify } from 'node:util';
import { requireOwnNetwork } from './namespace.ts';

const run = promisify(execFile);

/** How packets end: dropped, as on a cut cable; answered with a reset, as by a firewall that rejects; or as for a host that is gone. */
type CutManner = 'drop' | 'reset' | 'unreachable';

export interface Cut {
  /** IPs. */
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** `both`: also from `to` to `from`. */
  readonly direction: 'both' | 'one way';
  readonly manner: CutManner;
}

// Packets are dropped on arrival. A rule for outgoing packets would return EPERM to the sender, which a cut cable does not
// do. A reset must reach its receiver, although that direction is refused too.
const rules = `
table ip links {
  set dropped { type ipv4_addr . ipv4_addr; }
  set refused { type ipv4_addr . ipv4_addr; }
  set unreachable { type ipv4_addr . ipv4_addr; }
  chain arriving {
    type filter hook input priority 0; policy accept;
    ip saddr . ip daddr @dropped drop
    tcp flags & rst == rst accept
    ip saddr . ip daddr @refused meta l4proto tcp reject with tcp reset
    ip saddr . ip daddr @refused drop
    ip saddr . ip daddr @unreachable reject with icmp type host-unreachable
  }
}
`;

/**
 * The links of a network namespace, which can be cut and healed: nftables drops real packets from one IP to another.
 * Servers are identified by the IP that they listen on and must connect from it too.
 */
export class Links {
  readonly #cuts = new Set<Cut>();
  #applied: Promise<void> = Promise.resolve();

  private constructor() {}

  /** Rejects if this process has no network of its own. */
  static async open(): Promise<Links> {
    requireOwnNetwork();
    await nft(rules);
    return new Links();
  }

  /** Resolves when the link is cut, with the function that heals it. */
  async cut(cut: Cut): Promise<() => Promise<void>> {
    this.#cuts.add(cut);
    await this.#apply();
    return async () => {
      if (this.#cuts.delete(cut)) await this.#apply();
    };
  }

  async healAll(): Promise<void> {
    this.#cuts.clear();
    await this.#apply();
  }

  /** One change after the other: the last one counts. */
  #apply(): Promise<void> {
    const applied = this.#applied.then(() => this.#write());
    this.#applied = applied.catch(() => undefined);
    return applied;
  }

  /** One transaction of nftables, so that no packet sees half of it. */
  async #write(): Promise<void> {
    const lines = ['dropped', 'refused', 'unreachable'].map((set) => `flush set ip links ${set}`);
    for (const [manner, set] of [
      ['drop', 'dropped'],
      ['reset', 'refused'],
      ['unreachable', 'unreachable'],
    ] as const) {
      const pairs = new Set([...this.#cuts].filter((cut) => cut.manner === manner).flatMap(pairsOf));
      if (pairs.size > 0) lines.push(`add element ip links ${set} { ${[...pairs].join(', ')} }`);
    }
    await nft(lines.join('\n'));
  }
}

function pairsOf({ from, to, direction }: Cut): readonly string[] {
  const pairs = from.flatMap((a) => to.filter((b) => b !== a).map((b) => [a, b] as const));
  return pairs.flatMap(([a, b]) => (direction === 'both' ? [`${a} . ${b}`, `${b} . ${a}`] : [`${a} . ${b}`]));
}

async function nft(script: string): Promise<void> {
  const env = { ...process.env, PATH: [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter) };
  await run('nft', [script], { env, timeout: 5_000 });
}
