import type { SentinelLink } from '../../client/sentinel.ts';

/** Orders a Sentinel to fail a master over. It starts at once, without the votes of the others. */
export async function orderFailover(link: SentinelLink, name: string): Promise<void> {
  await link.failover(name, { timeoutMs: 1_000 });
}
