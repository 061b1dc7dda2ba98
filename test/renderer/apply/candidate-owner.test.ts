import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { handleMethods } from '../../handle-methods.ts';
import { replace } from './replace.ts';

const skip = process.getuid?.() === 0 ? false : 'only root gives files away';

t.test('before a candidate has its owner, nobody else may read it', { skip }, async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old' });
  const handles = await handleMethods(folder);
  const modes: number[] = [];
  const { writeFile } = handles;
  t.intercept(handles, 'writeFile', {
    async value(this: FileHandle, ...given: Parameters<typeof writeFile>) {
      modes.push((await this.stat()).mode & 0o777);
      return writeFile.apply(this, given);
    },
  });
  execFileSync('chown', ['12:34', join(folder, 'a.cfg')]);
  await replace(join(folder, 'a.cfg'), 'another owner');
  execFileSync('chgrp', ['34', folder]);
  chmodSync(folder, 0o2755);
  execFileSync('chown', ['0:0', join(folder, 'a.cfg')]);
  await replace(join(folder, 'a.cfg'), 'the group of the folder');
  t.same(modes, [0o600, 0o600]);
});

t.test('a candidate gives its first group nothing that others do not get', { skip }, async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old' });
  const path = join(folder, 'a.cfg');
  execFileSync('chgrp', ['34', folder]);
  chmodSync(folder, 0o2755);
  const handles = await handleMethods(folder);
  let first: number | undefined;
  const { chmod } = handles;
  t.intercept(handles, 'chmod', {
    async value(this: FileHandle, mode: number) {
      first ??= (await this.stat()).mode & 0o777;
      return chmod.call(this, mode);
    },
  });
  for (const [mode, expected] of [
    [0o640, 0o600],
    [0o660, 0o600],
    [0o664, 0o600],
    [0o604, 0o600],
    [0o644, 0o644],
    [0o600, undefined],
  ] as const) {
    first = undefined;
    chmodSync(path, mode);
    execFileSync('chown', ['0:0', path]);
    await replace(path, 'new');
    // The first chmod comes after the file was created, and before it has its group.
    if (expected !== undefined) t.equal(first, expected, mode.toString(8));
    t.equal(statSync(path).mode & 0o7777, mode);
    t.equal(statSync(path).gid, 0);
  }
});

t.test('a file system that refuses a mode does not stop the write', { skip }, async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old' });
  const path = join(folder, 'a.cfg');
  execFileSync('chgrp', ['34', folder]);
  chmodSync(folder, 0o2755);
  chmodSync(path, 0o644);
  t.intercept(await handleMethods(folder), 'chmod', {
    value: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM' })),
  });
  await replace(path, 'new');
  t.equal(readFileSync(path, 'utf8'), 'new');
});
