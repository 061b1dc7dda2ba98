import type { PlannedPreview } from '../../http/views.ts';
import type { Address } from '../../model/address.ts';
import type { Manner } from './manner.ts';
import type { PlannedCheck } from './planned-check.ts';

/** What a planned failover would do now, based on its check. */
export function previewPlanned(
  check: PlannedCheck,
  asked: {
    readonly name: string;
    readonly from: Address | undefined;
    readonly successor: Address | undefined;
    /** undefined where there is no record yet. */
    readonly manner: Manner | undefined;
  },
): PlannedPreview {
  const { name, from = null, successor, manner } = asked;
  const candidates = check.kind === 'ready' || check.kind === 'unsettled' ? check.candidates : [];
  const [only] = candidates;
  return {
    name,
    dryRun: true,
    verdict: verdicts[check.kind],
    manner: manner?.kind ?? null,
    whyPaused: manner?.kind === 'paused' ? manner.why : null,
    why: check.kind === 'ready' ? null : check.why,
    from,
    to: successor ?? (candidates.length === 1 && only !== undefined ? only : null),
    candidates,
    outOfSync: check.kind === 'unsettled' ? check.unsettled : [],
  };
}

const verdicts = {
  ready: 'now',
  waiting: 'waits',
  unsettled: 'waits',
  refused: 'refused',
} as const satisfies Readonly<Record<PlannedCheck['kind'], PlannedPreview['verdict']>>;
