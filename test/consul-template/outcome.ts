/** What a program makes of a template. */
export type Outcome =
  | { readonly kind: 'text'; readonly text: string }
  /** It refuses the template or the values. */
  | { readonly kind: 'error'; readonly message: string }
  /** It waits for data, and writes nothing. */
  | { readonly kind: 'waits' };

/** Equal where both write the same bytes, or neither writes anything. */
export function isSame(a: Outcome, b: Outcome): boolean {
  return a.kind === 'text' && b.kind === 'text' ? a.text === b.text : a.kind !== 'text' && b.kind !== 'text';
}

export function showOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'text':
      return JSON.stringify(outcome.text);
    case 'error':
      return `error: ${outcome.message}`;
    case 'waits':
      return 'waits';
  }
}
