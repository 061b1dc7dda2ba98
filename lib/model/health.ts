import { compareSeverities, type Severity, worstSeverity } from './severity.ts';

/* The result of judging everything that a daemon follows: a level, and the reasons for it. */

/** What a reason is about. The name of a `part` is the daemon's part; that of the others is the one that the API uses. */
export const subjectKinds = [
  'part',
  'consul',
  'config',
  'master',
  'desired',
  'cluster',
  'instance',
  'template',
] as const;

export type SubjectKind = (typeof subjectKinds)[number];

interface Subject {
  readonly kind: SubjectKind;
  readonly name: string;
  /** The Sentinel or the replica of a master that the reason is about, as `host:port`; null where it is the master. */
  readonly address: string | null;
}

/**
 * Every code with its level and what to do about it; null where the text says it, or nothing has to be done. `{name}`
 * stands for the subject's name. The operations guide has a line for each code (docs/guide/operations.md; a test
 * compares).
 */
export const healthCodes = {
  'not-ready': { level: 'unknown', hint: null },
  'consul-unreachable': { level: 'critical', hint: 'consul members' },
  'config-refused': { level: 'warning', hint: 'switchmaster check' },
  'record-unreadable': { level: 'warning', hint: 'consul kv get "{name}"' },
  'interfaces-unreadable': { level: 'warning', hint: null },
  'master-unrecorded': { level: 'unknown', hint: 'switchmaster why {name}' },
  'master-down': { level: 'critical', hint: 'switchmaster why {name}' },
  'master-suspected': { level: 'warning', hint: 'switchmaster why {name}' },
  'master-held': { level: 'warning', hint: 'switchmaster why {name}' },
  'master-failed': { level: 'warning', hint: 'switchmaster why {name}' },
  'master-settling': { level: 'well', hint: null },
  'promotion-unconfirmed': { level: 'warning', hint: 'switchmaster why {name}' },
  'record-unbacked': { level: 'critical', hint: 'switchmaster doctor' },
  'sentinels-lost': { level: 'critical', hint: 'switchmaster doctor' },
  'sentinel-unreachable': { level: 'warning', hint: 'switchmaster doctor' },
  'sentinel-differs': { level: 'warning', hint: 'switchmaster doctor' },
  'sentinels-disagree': { level: 'warning', hint: 'switchmaster doctor' },
  'sentinel-uncounted': { level: 'warning', hint: 'switchmaster doctor' },
  'master-without-replica': { level: 'warning', hint: null },
  'replica-down': { level: 'warning', hint: 'switchmaster doctor' },
  'replica-not-replicating': { level: 'warning', hint: 'switchmaster doctor' },
  'replica-lags': { level: 'warning', hint: 'switchmaster doctor' },
  'redis-denied': { level: 'warning', hint: 'switchmaster check --online' },
  'redis-unreached': { level: 'warning', hint: 'switchmaster check --online' },
  'foreign-instance': { level: 'warning', hint: 'consul services deregister -id ID' },
  'desired-held': { level: 'warning', hint: null },
  'desired-failed': { level: 'warning', hint: null },
  'cluster-unrecorded': { level: 'unknown', hint: null },
  'cluster-problem': { level: 'warning', hint: null },
  'cluster-failed': { level: 'critical', hint: null },
  'cluster-slots-uncovered': { level: 'critical', hint: null },
  'cluster-without-replica': { level: 'warning', hint: null },
  'instance-unchecked': { level: 'unknown', hint: null },
  'instance-warning': { level: 'warning', hint: null },
  'instance-critical': { level: 'critical', hint: null },
  'template-pending': { level: 'unknown', hint: null },
  'template-held': { level: 'warning', hint: 'switchmaster render --diff' },
  'template-refused': { level: 'critical', hint: null },
  'template-invalid': { level: 'critical', hint: 'switchmaster check' },
  'template-warning': { level: 'warning', hint: null },
  'template-failed': { level: 'critical', hint: null },
} as const satisfies Readonly<Record<string, { readonly level: Severity; readonly hint: string | null }>>;

export type HealthCode = keyof typeof healthCodes;

export interface Reason {
  readonly code: HealthCode;
  /** A reason that is `well` is a note: something passes by itself. */
  readonly level: Severity;
  readonly subject: Subject;
  /** A sentence: what is wrong, and why. */
  readonly text: string;
  /** What to type, or null. */
  readonly hint: string | null;
  /** Where the documentation explains the code. */
  readonly doc: string;
}

export interface Health {
  readonly level: Severity;
  /** Worst first, then by subject. Empty where there is nothing to say. */
  readonly reasons: readonly Reason[];
}

/** A reason with the level and the hint of its code; `level` is given where it differs. */
export function makeReason(given: {
  readonly code: HealthCode;
  readonly subject: { readonly kind: SubjectKind; readonly name: string; readonly address?: string };
  readonly text: string;
  readonly level?: Severity;
}): Reason {
  const { code, text } = given;
  const { level, hint } = healthCodes[code];
  const subject = { ...given.subject, address: given.subject.address ?? null };
  return {
    code,
    level: given.level ?? level,
    subject,
    text,
    hint: hint?.replaceAll('{name}', subject.name) ?? null,
    doc: `docs/guide/operations.md#${code}`,
  };
}

export function worstLevel(reasons: readonly Pick<Reason, 'level'>[]): Severity {
  return worstSeverity(reasons.map(({ level }) => level));
}

export function toHealth(reasons: readonly Reason[]): Health {
  const sorted = reasons.toSorted((a, b) => compareSeverities(a.level, b.level) || compare(keyOf(a), keyOf(b)));
  return { level: worstLevel(sorted), reasons: sorted };
}

function keyOf({ subject, code }: Reason): string {
  return `${subjectKinds.indexOf(subject.kind)} ${subject.name} ${subject.address ?? ''} ${code}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
