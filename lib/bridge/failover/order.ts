import type { SentinelLink } from '../../client/sentinel.ts';

/** Has a Sentinel fail a master over without asking the others: it needs no votes, and begins at once. */
export async function orderFailover(link: SentinelLink, name: string): Promise<void> {
  await link.failover(name, { timeoutMs: 1_000 });
}
