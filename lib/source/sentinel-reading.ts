import type { SwitchmasterError } from '../errors.ts';
import type { Address } from '../model/address.ts';
import type { SentinelView } from '../model/sentinel.ts';

/** What one Sentinel answered about one master, or why it did not. */
export type SentinelReading =
  | { readonly kind: 'seen'; readonly sentinel: Address; readonly sentinelId: string; readonly view: SentinelView }
  /** It is there, and monitors no master of this name. */
  | { readonly kind: 'unaware'; readonly sentinel: Address; readonly sentinelId: string }
  | {
      readonly kind: 'unreachable';
      readonly sentinel: Address;
      readonly sentinelId: string;
      readonly error: SwitchmasterError;
    };

/** One view a Sentinel, whatever the number of addresses it is known by. */
export function distinctViews(readings: readonly SentinelReading[]): readonly SentinelView[] {
  const views = readings.filter((reading) => reading.kind === 'seen').map(({ view }) => view);
  return [...new Map(views.map((view) => [view.sentinelId, view])).values()];
}

/** Set where most of those that were asked answer, and none of them knows the master: a sentence. */
export function unmonitored(readings: readonly SentinelReading[]): string | undefined {
  const unaware = readings.filter(({ kind }) => kind === 'unaware').length;
  if (unaware * 2 <= readings.length || readings.some(({ kind }) => kind === 'seen')) return undefined;
  return `no Sentinel monitors it any more (${unaware} of ${readings.length} answered): remove its record, or monitor it again`;
}
