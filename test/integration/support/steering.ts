import { ConsulClient } from '../../../lib/client/consul.ts';
import { acquireLease } from '../../../lib/consul/lock.ts';
import type { Address } from '../../../lib/model/address.ts';
import { steeringKey } from '../../../lib/model/naming.ts';

/** Whether a token suffices for what a daemon does before it fails the master `shard1` over. */
export async function canSteer(http: Address, token: string): Promise<boolean> {
  const client = new ConsulClient({ ...http, token });
  const key = steeringKey({ environment: undefined }, 'shard1');
  const signal = AbortSignal.timeout(5_000);
  try {
    const lease = await acquireLease({ client, key, limit: 1, holder: token.slice(0, 8) }, signal);
    if (lease.kind === 'inside') await lease.leave();
    return lease.kind === 'inside';
  } catch {
    return false;
  } finally {
    client.close();
  }
}
