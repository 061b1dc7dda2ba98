import type { SentinelLink } from '../../client/sentinel.ts';

/** Whether an order failed because the Sentinel refused it. Without an answer, the Sentinel may have begun. */
export function isRefusedOrder(cause: unknown): cause is Error {
  return cause instanceof Error && cause.name === 'ReplyError';
}

/** Orders a Sentinel to fail a master over. It starts at once, without the votes of the others. */
export async function orderFailover(link: SentinelLink, name: string): Promise<void> {
  await link.failover(name, { timeoutMs: 1_000 });
}
