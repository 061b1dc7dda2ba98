import { makeReason, type Reason } from '../health.ts';
import type { IgnoredKey } from '../records.ts';

/** Whether Consul can be read, and if not, since when; the doctor reads once and knows no beginning. */
export type ConsulState =
  | { readonly kind: 'reached' }
  | { readonly kind: 'lost'; readonly since?: string; readonly message: string };

export function judgeConsul(consul: ConsulState): readonly Reason[] {
  if (consul.kind === 'reached') return [];
  const since = consul.since === undefined ? '' : ` since ${consul.since}`;
  const text = `Consul cannot be read${since}: ${consul.message}`;
  return [makeReason({ code: 'consul-unreachable', subject: { kind: 'consul', name: 'consul' }, text })];
}

/** Keys among the records that hold no record, and that somebody must correct. */
export function judgeIgnoredKeys(ignoredKeys: readonly IgnoredKey[]): readonly Reason[] {
  return ignoredKeys
    .filter(({ kind }) => kind !== 'marker')
    .map(({ key, message }) =>
      makeReason({
        code: 'record-unreadable',
        subject: { kind: 'consul', name: key },
        text: `Ignored: ${message}.`,
      }),
    );
}
