import { only } from '../integration/support/bridging.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import type { ClientStack } from './stack.ts';

/** In the order in which the clients go through them: the failovers prove that they subscribed again after the restarts. */
export const faults = [
  'restart of Consul',
  'restart of the endpoint',
  'SENTINEL FAILOVER',
  'switchmaster failover',
  'kill -9',
] as const;
export type Fault = (typeof faults)[number];

/** The faults that move the master. */
export function movesMaster(fault: Fault): boolean {
  return fault !== 'restart of Consul' && fault !== 'restart of the endpoint';
}

export async function strike(
  stack: ClientStack,
  { fault, master }: { readonly fault: Fault; readonly master: RedisServer },
): Promise<void> {
  switch (fault) {
    case 'restart of Consul':
      return stack.consul.restart();
    case 'restart of the endpoint':
      return stack.restartEndpoint();
    case 'SENTINEL FAILOVER':
      // Sentinel refuses while it waits after the failover before.
      await waitFor('Sentinel to take the order', () => order(stack), { timeoutMs: 60_000 });
      return;
    case 'switchmaster failover':
      return stack.failOver();
    case 'kill -9':
      return master.kill();
  }
}

async function order({ sentinels, shard }: ClientStack): Promise<boolean> {
  return (await only(sentinels).command('SENTINEL', 'FAILOVER', shard.name)) === 'OK';
}
