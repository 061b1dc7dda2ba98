import type { OutcomeState } from '../../http/views.ts';

/** Why the last run of a loop stopped; undefined where it did what it should. */
export function describeStop(
  outcome: OutcomeState | undefined,
): { readonly kind: 'held' | 'failed'; readonly text: string } | undefined {
  if (outcome?.kind !== 'held' && outcome?.kind !== 'failed') return undefined;
  return { kind: outcome.kind, text: outcome.summary };
}
