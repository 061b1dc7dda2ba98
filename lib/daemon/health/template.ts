import type { OutcomeState, TemplateState } from '../../http/views.ts';
import { type HealthCode, makeReason, type Reason } from '../../model/health.ts';
import { describeStop } from './outcome.ts';

const codes: Readonly<Record<string, HealthCode>> = {
  new: 'template-pending',
  pending: 'template-pending',
  held: 'template-held',
  refused: 'template-refused',
  invalid: 'template-invalid',
  failed: 'template-failed',
};

/** Whether a file is as its template says. One that is being carried out, or waits for its turn, is on its way. */
export function judgeTemplate(template: TemplateState, lastOutcome: OutcomeState | undefined): readonly Reason[] {
  const { name, warnings } = template;
  const subject = { kind: 'template', name } as const;
  const noted = warnings.map((text) => makeReason({ code: 'template-warning', subject, text }));
  return [...judgeState(template, lastOutcome), ...noted];
}

function judgeState(template: TemplateState, lastOutcome: OutcomeState | undefined): readonly Reason[] {
  const { name, state, held } = template;
  const stop = describeStop(lastOutcome);
  const code =
    held !== null ? 'template-held' : (codes[state] ?? (stop?.kind === 'failed' ? 'template-failed' : undefined));
  if (code === undefined) return [];
  return [makeReason({ code, subject: { kind: 'template', name }, text: textOf(template, stop?.text) })];
}

function textOf({ state, missing }: TemplateState, stopped: string | undefined): string {
  if (stopped !== undefined && stopped !== '') return stopped;
  if (missing.length > 0) return `It waits for ${missing.join(', ')}.`;
  return state === 'new' ? 'It was not rendered yet.' : `It is ${state}.`;
}
