import { appendFileSync, chmodSync, linkSync, lstatSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type PresentFile, readDestination } from '../../../lib/renderer/apply/file.ts';
import { type FileStamp, isSameStamp, isSettled, KnownFile } from '../../../lib/renderer/apply/known-file.ts';
import { type Entry, makeEntry } from '../../../lib/renderer/entry.ts';
import { rereadLater, tryRead } from '../../../lib/renderer/unread.ts';
import { waitFor } from '../../sandbox/condition.ts';

const stamp: FileStamp = {
  dev: 1n,
  ino: 2n,
  size: 3n,
  mtimeNs: 4n,
  ctimeNs: 5n,
  mode: 6n,
  uid: 7n,
  gid: 8n,
  nlink: 1n,
};

t.test('two stamps are equal only if all of their values are', async (t) => {
  t.ok(isSameStamp(stamp, { ...stamp }));
  for (const key of Object.keys(stamp)) t.notOk(isSameStamp(stamp, { ...stamp, [key]: 99n }), key);
});

t.test('a change is settled when a later one must have another time', async (t) => {
  const nowMs = 1_000_000;
  for (const [agoMs, expected] of [
    [101, true],
    [100, false],
    [0, false],
    [-5_000, false],
  ] as const) {
    t.equal(isSettled({ ctimeNs: BigInt(nowMs - agoMs) * 1_000_000n }, nowMs), expected, `${agoMs} ms ago`);
  }
});

t.test('on a file system of whole seconds, a change is distinct after more than one', (t) => {
  const ctimeNs = 1_700_000_000_000_000_000n;
  for (const [laterMs, expected] of [
    [200, false],
    [1_000, false],
    [1_101, true],
  ] as const)
    t.equal(isSettled({ ctimeNs }, 1_700_000_000_000 + laterMs), expected, `${laterMs} ms later`);
  t.end();
});

const untilSettled = (path: string) =>
  waitFor('the change to be settled', () => isSettled(lstatSync(path, { bigint: true }), Date.now()));

/** A file that is known, and what was read. */
async function know(t: Test): Promise<{ path: string; known: KnownFile<PresentFile>; present: PresentFile }> {
  const path = join(t.testdir({ 'a.cfg': 'old' }), 'a.cfg');
  const known = new KnownFile<PresentFile>();
  t.teardown(() => known.close());
  await untilSettled(path);
  const present = await readDestination(path, known);
  if (present === undefined) throw new Error('no file');
  return { path, known, present };
}

t.test('a file that nothing has changed is not read again', async (t) => {
  const { path, known, present } = await know(t);
  t.equal(await readDestination(path, known), present);
  known.forget();
  t.not(await readDestination(path, known), present);
});

t.test('a file is read again after each kind of change', async (t) => {
  const changes: readonly (readonly [string, (path: string) => void, string])[] = [
    ['text of the same length', (path) => writeFileSync(path, 'new'), 'new'],
    ['the former times', (path) => keepTimes(path, () => writeFileSync(path, 'new')), 'new'],
    ['more text', (path) => appendFileSync(path, 'er'), 'older'],
    ['another file in its place', (path) => replaceBy(path, 'new'), 'new'],
    ['another mode', (path) => chmodSync(path, 0o600), 'old'],
    ['a second name', (path) => linkSync(path, `${path}.second`), 'old'],
  ];
  for (const [name, change, expected] of changes) {
    await t.test(name, async (t) => {
      const { path, known, present } = await know(t);
      change(path);
      const now = await readDestination(path, known);
      t.not(now, present);
      t.equal(now?.bytes.toString(), expected);
      t.equal(now?.mode, lstatSync(path).mode & 0o7777);
    });
  }
  const { path, known } = await know(t);
  rmSync(path);
  t.equal(await readDestination(path, known), undefined);
});

t.test('a file that was just changed, or that has a second name, is not known', async (t) => {
  const { path, known } = await know(t);
  writeFileSync(path, 'new');
  const changed = await readDestination(path, known);
  t.not(await readDestination(path, known), changed);
  linkSync(path, `${path}.second`);
  await untilSettled(path);
  const linked = await readDestination(path, known);
  t.not(await readDestination(path, known), linked);
});

t.test('only a run that Consul caused trusts what is known', async (t) => {
  const path = join(t.testdir({ 'a.cfg': 'old' }), 'a.cfg');
  const spec = { name: 'a', destination: path };
  const entry: Entry = makeEntry({ template: { spec }, debouncer: {}, supervisor: undefined } as never);
  t.teardown(() => entry.known.close());
  const readFor = async (source: string) => {
    const read = await tryRead(entry, { hints: [{ source, event: 'changed', receivedMs: 0 }] });
    return read.kind === 'read' ? read.present : undefined;
  };
  const before = await readFor('consul');
  rereadLater(entry);
  let known = before;
  await waitFor('the file to be known', async () => {
    const last = known;
    known = await readFor('consul');
    return known === last;
  });
  t.not(known, before);
  t.not(await readFor('loop'), known);
  t.equal(await readFor('consul'), await readFor('consul'));
});

function keepTimes(path: string, change: () => void): void {
  const { atime, mtime } = lstatSync(path);
  change();
  utimesSync(path, atime, mtime);
}

function replaceBy(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
