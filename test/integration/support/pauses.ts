import { pauseBeforePromotionMs } from '../../../lib/bridge/fencing/plan.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { Fence } from './bridging.ts';
import type { LedgerWriter } from './writing.ts';

/** Longer than the way of a command to a Redis takes on a machine that is not busy. */
const promptMs = 100;

/**
 * What the old master acknowledged from the pause before the promotion on, and the new master does not have. On a busy machine
 * the pause may begin late, or end before the bridge sees the promotion and pauses again: what is acknowledged then may be
 * lost.
 */
export async function lostDespitePauses(
  writer: LedgerWriter,
  { master, fences }: { readonly master: Address; readonly fences: readonly Fence[] },
): Promise<{ readonly lost: readonly number[]; readonly of: number }> {
  const pausesBy = (wanted: Fence['action']) =>
    fences
      .filter(({ action, outcome }) => action === wanted && outcome === 'applied')
      .toSorted((a, b) => a.doneMs - b.doneMs);
  const [first] = pausesBy('pause-before-promotion');
  const [second] = pausesBy('pause');
  if (first === undefined) return { lost: [], of: 0 };
  const { lost, of } = await writer.lostAt(master, first.doneMs - first.atMs < promptMs ? first.atMs : first.doneMs);
  const endsMs = first.atMs + pauseBeforePromotionMs;
  const isRenewed = second !== undefined && second.doneMs < endsMs;
  return { lost: lost.filter((number) => isRenewed || (writer.acknowledged.get(number) ?? 0) < endsMs), of };
}
