import type { Address } from '../model/address.ts';
import { sameAddress } from '../model/address.ts';
import type { MasterRecord } from '../model/record.ts';
import type { Fencer } from './fencing/fencer.ts';
import { distinctViews } from './observe/sentinel-reading.ts';
import type { SentinelSource } from './observe/sentinels.ts';
import { newestPromotion } from './plan/promotion.ts';

/**
 * Pauses the writes of `record`'s master when a Sentinel reports that it selected a replica, and its state, read back,
 * says so too. Sentinel promotes the replica at its next timer tick; by then the replica has every acknowledged write.
 */
export async function pauseBeforePromotion(
  parts: { readonly sentinels: SentinelSource; readonly fencer: Fencer },
  selection: { readonly name: string; readonly sentinel: Address; readonly record: MasterRecord | undefined },
): Promise<void> {
  const { name, sentinel, record } = selection;
  if (record === undefined) return;
  const views = distinctViews(await parts.sentinels.read(name, { only: [sentinel] }));
  const promotion = newestPromotion(views, record);
  if (promotion === undefined || !sameAddress(promotion.view.master, record.master)) return;
  await parts.fencer.pauseBeforePromotion(name, record.master);
}
