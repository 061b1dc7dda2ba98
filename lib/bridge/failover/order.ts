import type { SentinelLink } from '../../client/sentinel.ts';
import { SwitchmasterError } from '../../errors.ts';

const timeoutMs = 1_000;

/** Orders a Sentinel to fail a master over. It starts at once, without the votes of the others. */
export async function orderFailover(link: SentinelLink, name: string): Promise<void> {
  await link.failover(name, { timeoutMs });
}

/** Orders a failover that the master itself carries out. `not-known`: this Sentinel cannot, and nothing has begun. */
export async function orderCoordinatedFailover(link: SentinelLink, name: string): Promise<'ordered' | 'not-known'> {
  if (!(await link.knowsCoordinatedFailover({ timeoutMs }))) return 'not-known';
  try {
    await link.failoverCoordinated(name, { timeoutMs });
    return 'ordered';
  } catch (thrown) {
    // For example because the master is older than the Sentinel.
    if (SwitchmasterError.from(thrown).code === 'redis-refused') return 'not-known';
    throw thrown;
  }
}
