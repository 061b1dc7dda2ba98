import type { OutcomeState } from '../../http/views.ts';
import { makeReason, type Reason } from '../../model/health.ts';
import { describeStop } from './outcome.ts';

/** Whether the Sentinels monitor what `desired/` says, by the provisioner's last run about it. */
export function judgeDesired(name: string, lastOutcome: OutcomeState | undefined): readonly Reason[] {
  const stop = describeStop(lastOutcome);
  if (stop === undefined) return [];
  return [makeReason({ code: `desired-${stop.kind}`, subject: { kind: 'desired', name }, text: stop.text })];
}
