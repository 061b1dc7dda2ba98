import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';

const timeoutMs = 500;

/** Has Sentinel choose one replica by its `replica-priority` (the lowest above 0 wins), and puts the priorities back. */
export class ReplicaPriorityOverride {
  readonly #redis: RedisPool;
  readonly #before = new Map<string, { readonly address: Address; readonly priority: string }>();

  constructor(redis: RedisPool) {
    this.#redis = redis;
  }

  /** `successor` gets 1, and each of the other candidates that would come before it or beside it 100. */
  async give(successor: Address, candidates: readonly Address[]): Promise<void> {
    for (const address of candidates) {
      const isSuccessor = sameAddress(address, successor);
      await this.#change(address, (priority) => (isSuccessor ? 1 : priority === 1 ? 100 : priority));
    }
  }

  /** Each of `rivals` gets a priority above `above`; one that is never promoted stays so. Those that are dead are left out. */
  async surpass(rivals: readonly Address[], above: number): Promise<void> {
    const raise = (priority: number) => (priority !== 0 && priority <= above ? above + 1 : priority);
    await Promise.allSettled(rivals.map((address) => this.#change(address, raise)));
  }

  /**
   * Never rejects: what cannot be put back now is told by the doctor. After a failover also in the config files: Sentinel
   * has had each node write its own meanwhile (sentinel.c, sentinelSendSlaveOf).
   */
  async restore(after: 'failover' | 'nothing'): Promise<void> {
    for (const { address, priority } of this.#before.values()) {
      const set = ['CONFIG', 'SET', 'replica-priority', priority] as const;
      const commands = after === 'failover' ? [set, ['CONFIG', 'REWRITE'] as const] : [set];
      await this.#redis.command(address, commands, { timeoutMs }).catch(() => undefined);
    }
  }

  async #change(address: Address, to: (priority: number) => number): Promise<void> {
    const [reply] = await this.#redis.command(address, [['CONFIG', 'GET', 'replica-priority']], { timeoutMs });
    const priority = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
    if (!Number.isSafeInteger(priority)) throw refused(address, reply);
    const wanted = to(priority);
    if (wanted === priority) return;
    const key = formatAddress(address);
    // Before it is sent: what is not answered in time may be carried out all the same.
    if (!this.#before.has(key)) this.#before.set(key, { address, priority: String(priority) });
    const [answer] = await this.#redis.command(address, [['CONFIG', 'SET', 'replica-priority', wanted]], { timeoutMs });
    if (answer !== 'OK') throw refused(address, answer);
  }
}

function refused(address: Address, answer: unknown): SwitchmasterError {
  const said = answer instanceof Error ? answer.message : String(answer);
  const message = `The priority of ${formatAddress(address)} cannot be changed: ${said}`;
  return new SwitchmasterError('failover-refused', message, { cause: answer });
}
