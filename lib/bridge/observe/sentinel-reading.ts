import type { SwitchmasterError } from '../../errors.ts';
import type { Address } from '../../model/address.ts';
import type { SentinelView } from '../../model/sentinel.ts';

/** What one Sentinel answered about one master, or why it did not. */
export type SentinelReading =
  | { readonly kind: 'seen'; readonly sentinel: Address; readonly sentinelId: string; readonly view: SentinelView }
  /** It answers, and monitors no master of this name. */
  | {
      readonly kind: 'unaware';
      readonly sentinel: Address;
      readonly sentinelId: string;
      readonly hasMonitored: boolean;
    }
  | {
      readonly kind: 'unreachable';
      readonly sentinel: Address;
      readonly sentinelId: string;
      /** Whether it has monitored this master since this process started. */
      readonly hasMonitored: boolean;
      readonly error: SwitchmasterError;
    };

/** One view for each Sentinel, even if it is known by several addresses. */
export function distinctViews(readings: readonly SentinelReading[]): readonly SentinelView[] {
  const views = readings.filter((reading) => reading.kind === 'seen').map(({ view }) => view);
  return [...new Map(views.map((view) => [view.sentinelId, view])).values()];
}

/**
 * A sentence, if most Sentinels of this master answer and none of them monitors it any more. Its own Sentinels are those
 * that have monitored it since this process started. If none has, every known Sentinel must have answered.
 */
export function unmonitored(readings: readonly SentinelReading[]): string | undefined {
  const others = readings.filter((reading) => reading.kind !== 'seen');
  if (others.length === 0 || others.length < readings.length) return undefined;
  const own = others.filter(({ hasMonitored }) => hasMonitored);
  const asked = own.length > 0 ? own : others;
  const unaware = asked.filter(({ kind }) => kind === 'unaware').length;
  if (own.length > 0 ? unaware * 2 <= asked.length : unaware < asked.length) return undefined;
  return `no Sentinel monitors it any more (${unaware} of ${asked.length} answered): remove it with \`switchmaster forget\`, or monitor it again`;
}
