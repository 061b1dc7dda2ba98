import { dirname } from 'node:path';
import type { Denial } from '../../consul/watches.ts';
import { makeReason, type Reason } from '../../model/health.ts';
import { shellWord } from '../../model/shell-words.ts';

/** The result of the last reload of the config. */
export type ConfigState =
  | { readonly kind: 'current' }
  /** `running`: when the config in use was read; ISO 8601. */
  | { readonly kind: 'refused'; readonly running: string; readonly since: string; readonly message: string };

/** Whether the journal's file has every entry. */
export type JournalState =
  | { readonly kind: 'kept' }
  | { readonly kind: 'failing'; readonly path: string; readonly since: string; readonly message: string };

/** Whether the operating system lists this node's interfaces. */
export type InterfacesState = { readonly kind: 'read' } | { readonly kind: 'unreadable'; readonly message: string };

/** What was not observed in full yet: each as `part: what`. */
export function judgeReadiness(missing: readonly string[]): readonly Reason[] {
  return missing.map((what) => {
    const [name = what] = what.split(':', 1);
    return makeReason({ code: 'not-ready', subject: { kind: 'part', name }, text: what });
  });
}

/** A token without any rights would have a reason for each query. */
const shownDenials = 10;

export function judgeDenied(denied: readonly Denial[]): readonly Reason[] {
  return denied.slice(0, shownDenials).map(({ query, error, needed }) => {
    const code = needed === undefined ? 'consul-denied' : 'right-missing';
    return makeReason({ code, subject: { kind: 'consul', name: query }, text: error.message });
  });
}

/** The daemon continues with the earlier config, and would not start with the one on disk. */
export function judgeConfig(config: ConfigState): readonly Reason[] {
  if (config.kind === 'current') return [];
  const { running, since, message } = config;
  const text = `Running with the config of ${running}; the one on disk is refused since ${since}: ${message}`;
  return [makeReason({ code: 'config-refused', subject: { kind: 'config', name: 'config' }, text })];
}

export function judgeInterfaces(interfaces: InterfacesState): readonly Reason[] {
  if (interfaces.kind === 'read') return [];
  const text = `This node's network interfaces cannot be listed: ${interfaces.message}`;
  return [makeReason({ code: 'interfaces-unreadable', subject: { kind: 'part', name: 'registrar' }, text })];
}

export function judgeJournal(journal: JournalState): readonly Reason[] {
  if (journal.kind === 'kept') return [];
  const { path, since, message } = journal;
  const folder = shellWord(dirname(path));
  const text = `The file of the journal fails since ${since}: ${message}`;
  const hint = `df -h ${folder}; ls -ld ${folder}`;
  return [makeReason({ code: 'journal-unwritable', subject: { kind: 'part', name: 'journal' }, text, hint })];
}
