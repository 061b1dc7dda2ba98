import type { RedisPool } from '../../client/redis-pool.ts';
import { SwitchmasterError } from '../../errors.ts';
import { type Address, formatAddress, sameAddress } from '../../model/address.ts';

const timeoutMs = 500;

/** Makes Sentinel select one replica by `replica-priority` (the lowest above 0 wins), and restores the priorities. */
export class ReplicaPriorityOverride {
  readonly #redis: RedisPool;
  readonly #before = new Map<string, { readonly address: Address; readonly priority: string }>();

  constructor(redis: RedisPool) {
    this.#redis = redis;
  }

  /** Sets the priority of `successor` to 1, and that of every other candidate with priority 1 to 100. */
  async give(successor: Address, candidates: readonly Address[]): Promise<void> {
    for (const address of candidates) {
      const isSuccessor = sameAddress(address, successor);
      await this.#change(address, (priority) => (isSuccessor ? 1 : priority === 1 ? 100 : priority));
    }
  }

  /** Sets the priority of each of `addresses` to 0, so that Sentinel never selects it. */
  async exclude(addresses: readonly Address[]): Promise<void> {
    for (const address of addresses) await this.#change(address, () => 0);
  }

  /** Raises the priority of each of `competitors` above `above`. Skips replicas with priority 0 and those that are dead. */
  async raiseAbove(competitors: readonly Address[], above: number): Promise<void> {
    const raise = (priority: number) => (priority !== 0 && priority <= above ? above + 1 : priority);
    await Promise.allSettled(competitors.map((address) => this.#change(address, raise)));
  }

  /**
   * Restores the priorities. Never rejects: the doctor reports a priority that could not be restored. After a failover it
   * also rewrites the config files, because Sentinel made each node write its own (sentinel.c, sentinelSendSlaveOf).
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
    // Kept before the command is sent: a server can carry out a command that it does not answer in time.
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
