/** How bad something is, from best to worst. `unknown` means that nothing was observed yet, or nobody answers. */
export const severities = ['well', 'unknown', 'warning', 'critical'] as const;

export type Severity = (typeof severities)[number];

/** Negative if `a` is worse than `b`: sorting by it puts the worst first. */
export function compareSeverities(a: Severity, b: Severity): number {
  return severities.indexOf(b) - severities.indexOf(a);
}

/** The worst of all; `well` if there are none. */
export function worstSeverity(all: Iterable<Severity>): Severity {
  return [...all].toSorted(compareSeverities)[0] ?? 'well';
}
