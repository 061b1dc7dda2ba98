import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { followLinks } from '../lib/links.ts';
import { examineDestination } from '../lib/renderer/destination.ts';

/** Counts the system calls that are under way at the same time, until the test ends. */
function countCalls(t: Test) {
  const seen = { most: 0, all: 0 };
  let now = 0;
  const calls = fs as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of ['lstat', 'realpath', 'readlink', 'access']) {
    const call = calls[name] as (...args: unknown[]) => Promise<unknown>;
    calls[name] = async (...args) => {
      now += 1;
      seen.all += 1;
      seen.most = Math.max(seen.most, now);
      return call(...args).finally(() => {
        now -= 1;
      });
    };
    t.teardown(() => {
      calls[name] = call;
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
  return seen;
}

t.test('a path is followed, and a destination examined, with one thread', async (t) => {
  const folder = t.testdir({ file: 'x', link: t.fixture('symlink', 'file') });
  const seen = countCalls(t);
  t.equal(await followLinks('/proc/self/status'), '/proc/self/status');
  const spec = { destination: join(folder, 'file'), placement: 'replace', folders: 'existing' } as const;
  t.equal(await examineDestination(spec as never), undefined);
  t.ok(seen.all > 4);
  t.equal(seen.most, 1);
});

t.test('a path without mounts on its way is followed without a thread', async (t) => {
  const folder = t.testdir({
    file: 'x',
    link: t.fixture('symlink', 'file'),
    folders: t.fixture('symlink', '.'),
    again: t.fixture('symlink', 'folders/link'),
  });
  const seen = countCalls(t);
  t.equal(await followLinks(join(folder, 'file')), join(folder, 'file'));
  t.equal(await followLinks(join(folder, 'link')), join(folder, 'file'));
  t.equal(await followLinks(join(folder, 'again')), join(folder, 'file'));
  t.equal(await followLinks(join(folder, 'folders/file')), join(folder, 'folders/file'), 'a link above it stays');
  t.equal(await followLinks(join(folder, 'folders/link')), join(folder, 'file'));
  t.equal(await followLinks(join(folder, 'no/file')), join(folder, 'no/file'));
  t.equal(seen.all, 0);
});
