import type { TemplateSpec } from '../../model/template-spec.ts';

/*
 * A file that is written and checked before the change of master that it is for. The change is rendered and guarded as usual, and uses
 * this file only in place of one that would be the same.
 */

/** What a file is like. */
export interface FileTerms {
  readonly bytes: Buffer;
  /** The path that it gets. */
  readonly destination: string;
  /** undefined: what the system gives it. */
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number;
}

export interface PreparedSnapshot {
  /** The file that is prepared, and the one that is wanted. */
  readonly prepared: FileTerms;
  readonly wanted: FileTerms;
  /** Whether it has changed on the disk since it was prepared, or is gone. */
  readonly file: 'as-prepared' | 'changed';
  /** Whether others than root and the daemon may give files names beside it. */
  readonly folder: 'own' | 'others';
  /** `none`: it was not checked. */
  readonly check: 'passed' | 'none';
  readonly ageMs: number;
}

type PreparedDecision =
  /** `due`: it must be checked before it takes effect. */
  | { readonly kind: 'use'; readonly check: 'passed' | 'due' }
  | { readonly kind: 'drop'; readonly why: 'differs' | 'changed' | 'folder' | 'old' };

/** The failover takes longer than usual. */
const mostMs = 10_000;
/** The check may have read other files as well. */
const checkLastsMs = 5_000;

/** Whether a prepared file is the one that is wanted now. Pure. */
export function judgePrepared(snapshot: PreparedSnapshot): PreparedDecision {
  const { prepared, wanted, file, folder, check, ageMs } = snapshot;
  if (!isSame(prepared, wanted)) return { kind: 'drop', why: 'differs' };
  if (file === 'changed') return { kind: 'drop', why: 'changed' };
  if (folder === 'others') return { kind: 'drop', why: 'folder' };
  if (ageMs > mostMs) return { kind: 'drop', why: 'old' };
  return { kind: 'use', check: check === 'passed' && ageMs <= checkLastsMs ? 'passed' : 'due' };
}

function isSame(a: FileTerms, b: FileTerms): boolean {
  const terms = ['destination', 'uid', 'gid', 'mode'] as const;
  return terms.every((term) => a[term] === b[term]) && a.bytes.equals(b.bytes);
}

interface PreparableSnapshot {
  readonly spec: Pick<TemplateSpec, 'placement' | 'upkeep'>;
  readonly state: string;
  /** What an earlier run has left to do. */
  readonly owed: object | undefined;
  /** The file that is prepared already, for another failover. */
  readonly expected: object | undefined;
  /** The masters of the last rendering, by name. */
  readonly masters: ReadonlyMap<string, string> | undefined;
}

/** Whether a file may be prepared for a failover of the master `name`. Pure. */
export function isPreparable(snapshot: PreparableSnapshot, name: string): boolean {
  const { spec, state, owed, expected, masters } = snapshot;
  if (spec.placement === 'in-place' || spec.upkeep === 'seed') return false;
  return state === 'current' && owed === undefined && expected === undefined && masters?.has(name) === true;
}
