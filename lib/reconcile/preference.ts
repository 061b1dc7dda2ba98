import type { RedisPool } from '../client/redis-pool.ts';
import { SwitchmasterError } from '../errors.ts';
import { type Address, formatAddress, sameAddress } from '../model/address.ts';

const timeoutMs = 500;

/** Has Sentinel choose one replica by its `replica-priority` (the lowest above 0 wins), and puts the priorities back. */
export class Preference {
  readonly #redis: RedisPool;
  readonly #before = new Map<Address, string>();

  constructor(redis: RedisPool) {
    this.#redis = redis;
  }

  /** `successor` gets 1, and each of the other candidates that would come before it or beside it 100. */
  async give(successor: Address, candidates: readonly Address[]): Promise<void> {
    for (const address of candidates) {
      const [reply] = await this.#redis.command(address, [['CONFIG', 'GET', 'replica-priority']], { timeoutMs });
      const priority = Array.isArray(reply) ? String(reply[1]) : undefined;
      if (priority === undefined) throw refused(address, reply);
      const wanted = sameAddress(address, successor) ? '1' : Number(priority) === 1 ? '100' : priority;
      if (wanted === priority) continue;
      const [answer] = await this.#redis.command(address, [['CONFIG', 'SET', 'replica-priority', wanted]], {
        timeoutMs,
      });
      if (answer !== 'OK') throw refused(address, answer);
      this.#before.set(address, priority);
    }
  }

  /** Never rejects: what cannot be put back now is told by the doctor. */
  async restore(): Promise<void> {
    for (const [address, priority] of this.#before) {
      const command = ['CONFIG', 'SET', 'replica-priority', priority] as const;
      await this.#redis.command(address, [command], { timeoutMs }).catch(() => undefined);
    }
  }
}

function refused(address: Address, answer: unknown): SwitchmasterError {
  const said = answer instanceof Error ? answer.message : String(answer);
  const message = `The priority of ${formatAddress(address)} cannot be changed: ${said}`;
  return new SwitchmasterError('failover-refused', message, { cause: answer });
}
