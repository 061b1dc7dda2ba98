import type { KvEntry } from './catalog.ts';
import { nameInKey } from './naming.ts';

/*
 * Whether two answers of Consul about one folder come from the same data. Consul does not say when it lost its data, or got
 * other data: it answers with success. Its index falls then, but it may have risen again before anybody asks.
 */

interface Key extends Pick<KvEntry, 'key' | 'value' | 'modifyIndex'> {
  /** For a key whose index is not known any more: none that is the same has a higher one. */
  readonly highest?: number;
}

type Keys = readonly Key[];

/** Whether all keys are as before: then nothing was lost here, whatever the index does. False for what is not a list of keys. */
export function keepsEntries(before: unknown, after: unknown): boolean {
  if (!isKeys(before) || !isKeys(after) || before.length === 0) return false;
  const now = byKey(after);
  return before.every(({ key, modifyIndex }) => now.get(key)?.modifyIndex === modifyIndex);
}

/** Whether a key is older than before: within the same data, the index of a key only rises. */
export function hasOlderEntry(before: unknown, after: unknown): boolean {
  if (before === after || !isKeys(before) || !isKeys(after)) return false;
  const now = byKey(after);
  return before.some(({ key, modifyIndex }) => (now.get(key)?.modifyIndex ?? modifyIndex) < modifyIndex);
}

/**
 * Whether keys vanished and none of the others is as before. Then nothing shows that somebody deleted them: the data may be
 * new. `index` is Consul's for the folder: below one that a key is known with, a key that is as before proves nothing,
 * because somebody may have written the same text again.
 */
export function isBroken(before: Keys, after: Keys, index?: bigint): boolean {
  const now = byKey(after);
  const hasVanished = before.some(({ key }) => !now.has(key));
  const isBehind = before.some(({ highest = 0 }) => index !== undefined && index < highest);
  return hasVanished && (isBehind || !before.some((former) => isSame(former, now.get(former.key))));
}

function isSame(former: Key, now: Key | undefined): boolean {
  if (now === undefined || now.value !== former.value) return false;
  const { modifyIndex, highest } = former;
  return highest === undefined ? now.modifyIndex === modifyIndex : now.modifyIndex <= highest;
}

function isKeys(value: unknown): value is Keys {
  return Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null && 'modifyIndex' in one);
}

function byKey(entries: Keys): ReadonlyMap<string, Key> {
  return new Map(entries.map((entry) => [entry.key, entry]));
}

/** The key beside a record that `switchmaster forget` writes before it deletes the record, and deletes after that. */
export function removalMark(recordKey: string): string {
  return `${recordKey}/`;
}

/** The masters that somebody removes now. */
export function removedNames(entries: Keys, prefix: string): readonly string[] {
  return entries.flatMap(({ key, value }) => {
    const isMark = value === removalText && key.startsWith(prefix) && key.endsWith('/');
    const part = key.slice(prefix.length, -1);
    return isMark && part !== '' && !part.includes('/') ? [nameInKey(part)] : [];
  });
}

/** The value of a {@link removalMark}. */
export const removalText = 'removed';
