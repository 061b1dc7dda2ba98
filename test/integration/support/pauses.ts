import { pauseBeforePromotionMs } from '../../../lib/bridge/fencing/plan.ts';
import type { Address } from '../../../lib/model/address.ts';
import type { Fence } from './bridging.ts';
import type { NumberWriter } from './writing.ts';

/**
 * What was sent to the old master after it had answered the pause before the promotion, was acknowledged, and is not on the new
 * master. On a busy machine the pause may end before the bridge sees the promotion and pauses again: what is acknowledged then
 * may be lost.
 */
export async function lostDespitePauses(
  writer: NumberWriter,
  { master, fences }: { readonly master: Address; readonly fences: readonly Fence[] },
): Promise<{ readonly lost: readonly number[]; readonly of: number }> {
  const pausesBy = (wanted: Fence['action']) =>
    fences
      .filter(({ action, outcome }) => action === wanted && outcome === 'applied')
      .toSorted((a, b) => a.doneMs - b.doneMs);
  const [first] = pausesBy('pause-before-promotion');
  const [second] = pausesBy('pause');
  if (first === undefined) return { lost: [], of: 0 };
  const { lost, of } = await writer.lostAt(master, first.doneMs);
  const endsMs = first.atMs + pauseBeforePromotionMs;
  const isRenewed = second !== undefined && second.doneMs < endsMs;
  const isPaused = (number: number) =>
    (writer.asked.get(number) ?? 0) > first.doneMs && (isRenewed || (writer.acknowledged.get(number) ?? 0) < endsMs);
  return { lost: lost.filter(isPaused), of };
}
