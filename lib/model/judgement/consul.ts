import type { ConsulScope } from '../consul-scope.ts';
import { makeReason, type Reason } from '../health.ts';
import type { IgnoredKey } from '../records.ts';
import { consulCommand } from '../shell-words.ts';

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

/** Some program may have written thousands of keys there. */
export const mostIgnoredKeys = 10;

/** Keys among the records that hold no record, and that somebody must correct. The last one shown counts those after it. */
export function judgeIgnoredKeys(ignoredKeys: readonly IgnoredKey[], scope?: ConsulScope): readonly Reason[] {
  const wrong = ignoredKeys.filter(({ kind }) => kind !== 'marker');
  const further = wrong.length - mostIgnoredKeys;
  return wrong.slice(0, mostIgnoredKeys).map(({ key, message }, i) => {
    const rest = i === mostIgnoredKeys - 1 && further > 0 ? ` ${further} further keys do not hold one either.` : '';
    const text = `Ignored: ${message}.${rest}`;
    const hint = consulCommand('kv get', { scope, operands: [key] });
    return makeReason({ code: 'record-unreadable', subject: { kind: 'consul', name: key }, text, hint });
  });
}
