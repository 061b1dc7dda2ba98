import type { OutcomeState } from '../../http/views.ts';
import { makeReason, type Reason } from '../../model/health.ts';
import { describeStop } from './outcome.ts';

/** Whether the Sentinels monitor what `desired/` says, by the provisioner's last run about it. */
export function judgeDesired(
  name: string,
  { lastOutcome, maintenance }: { readonly lastOutcome: OutcomeState | undefined; readonly maintenance: object | null },
): readonly Reason[] {
  const stop = describeStop(lastOutcome);
  // In maintenance the provisioner waits; a note reports that.
  if (stop === undefined || (stop.kind === 'held' && maintenance !== null)) return [];
  return [makeReason({ code: `desired-${stop.kind}`, subject: { kind: 'desired', name }, text: stop.text })];
}
