import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  discardCandidate,
  placeNew,
  removeStaleCandidates,
  writeCandidate,
} from '../../../lib/renderer/apply/candidate.ts';
import { correctOwnership, readDestination } from '../../../lib/renderer/apply/file.ts';
import { replace } from './replace.ts';

const signal = new AbortController().signal;

t.test('a new file is readable by all and writable by its owner, whatever the umask', async (t) => {
  const path = join(t.testdir({}), 'a.cfg');
  const before = process.umask(0o077);
  await replace(path, 'x').finally(() => process.umask(before));
  t.equal(readFileSync(path, 'utf8'), 'x');
  t.equal(statSync(path).mode & 0o777, 0o644);
});

t.test('mode, owner and group of a file are kept, or become what is configured', async (t) => {
  const path = join(t.testdir({ 'a.cfg': 'old' }), 'a.cfg');
  chmodSync(path, 0o640);
  const mayChown = process.getuid?.() === 0;
  if (mayChown) execFileSync('chown', ['12:34', path]);
  await replace(path, 'new');
  const kept = statSync(path);
  t.equal(kept.mode & 0o777, 0o640);
  if (mayChown) t.same([kept.uid, kept.gid], [12, 34]);
  await replace(path, 'newer', { mode: 0o600, ...(mayChown ? { uid: 56 } : {}) });
  const changed = statSync(path);
  t.equal(changed.mode & 0o777, 0o600);
  if (mayChown) t.same([changed.uid, changed.gid], [56, 34]);
  t.equal(await correctOwnership(path, { mode: 0o644 }), 'corrected');
  t.equal(await correctOwnership(path, { mode: 0o644 }), 'unchanged');
  t.equal(statSync(path).mode & 0o777, 0o644);
});

t.test('a file gets its group and mode also in a folder that gives its own group, and with a umask', async (t) => {
  const own = [process.getuid?.(), process.getgid?.()] as const;
  const folder = t.testdir({ 'a.cfg': 'old' });
  const path = join(folder, 'a.cfg');
  chmodSync(path, 0o664);
  if (own[0] === 0) {
    execFileSync('chgrp', ['34', folder]);
    chmodSync(folder, 0o2755);
  }
  const before = process.umask(0o027);
  await replace(path, 'new').finally(() => process.umask(before));
  const info = statSync(path);
  t.same([info.uid, info.gid, info.mode & 0o7777], [...own, 0o664]);
  await replace(path, 'newer', { mode: 0o4750 });
  t.equal(statSync(path).mode & 0o7777, 0o4750);
});

t.test('until the swap the destination is untouched, and a discarded candidate leaves nothing', async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old' });
  const destination = join(folder, 'a.cfg');
  const present = await readDestination(destination);
  const candidate = await writeCandidate({ destination, bytes: Buffer.from('new'), ownership: {}, present, signal });
  t.equal(readFileSync(destination, 'utf8'), 'old');
  t.equal(readFileSync(candidate.path, 'utf8'), 'new');
  await discardCandidate(candidate);
  t.same(readdirSync(folder), ['a.cfg']);
});

t.test('a destination that is a link stays one', async (t) => {
  const folder = t.testdir({ real: { 'a.cfg': 'old' } });
  const link = join(folder, 'a.cfg');
  symlinkSync('real/a.cfg', link);
  await replace(link, 'new');
  t.ok(lstatSync(link).isSymbolicLink());
  t.equal(readFileSync(join(folder, 'real/a.cfg'), 'utf8'), 'new');
});

t.test('candidates of a run that crashed are removed, those of one that lives are not', async (t) => {
  const dead = spawnSync('true').pid;
  const folder = t.testdir({
    'a.cfg': '',
    [`.a.cfg.switchmaster-${dead}-00000000`]: '',
    '.a.cfg.switchmaster-1-00000000': '',
    '.a.cfg.other': '',
  });
  const destination = join(folder, 'a.cfg');
  const candidate = await writeCandidate({
    destination,
    bytes: Buffer.from(''),
    ownership: {},
    present: undefined,
    signal,
  });
  t.same(await removeStaleCandidates(destination), [join(folder, `.a.cfg.switchmaster-${dead}-00000000`)]);
  t.ok(existsSync(candidate.path));
});

t.test('a destination that cannot be written says why, and what to do', async (t) => {
  const folder = t.testdir({ file: 'x', folder: {} });
  const cases = [
    [join(folder, 'gone/a.cfg'), /gone\/a\.cfg cannot be written: its folder does not exist; create it/],
    [join(folder, 'file/a.cfg'), /cannot be read: a part of its path is a file/],
    [join(folder, 'folder'), /is not a regular file/],
    ['/proc/a.cfg', /\/proc\/a\.cfg cannot be written/],
  ] as const;
  for (const [path, message] of cases) {
    await t.rejects(replace(path, 'x'), { code: 'file-unwritable', message }, path);
  }
});

t.test('a full disk leaves the old file whole and no candidate', async (t) => {
  const folder = t.testdir({ 'a.cfg': 'old' });
  // A limit on the size of files simulates the full disk: the error comes at the same place, in the middle of the write.
  writeFileSync(
    join(folder, 'run.mjs'),
    `import { writeCandidate } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/renderer/apply/candidate.ts'))};
     process.on('SIGXFSZ', () => {});
     const signal = new AbortController().signal;
     const input = { destination: ${JSON.stringify(join(folder, 'a.cfg'))}, ownership: {}, present: undefined, signal };
     await writeCandidate({ ...input, bytes: Buffer.alloc(3_000_000) }).catch((error) => console.log(error.code));`,
  );
  const limited = ['-c', `ulimit -f 1000; exec "$0" "$@"`, process.execPath, join(folder, 'run.mjs')];
  const { stdout } = spawnSync('/bin/bash', limited, { encoding: 'utf8' });
  t.equal(stdout.trim(), 'file-unwritable');
  t.equal(readFileSync(join(folder, 'a.cfg'), 'utf8'), 'old');
  t.same(readdirSync(folder).sort(), ['a.cfg', 'run.mjs']);
});

t.test('a new file never takes the place of one that appeared meanwhile', async (t) => {
  const destination = join(t.testdir(), 'out');
  const write = (text: string) =>
    writeCandidate({ destination, bytes: Buffer.from(text), ownership: { mode: 0o640 }, present: undefined, signal });
  const [first, second] = [await write('first'), await write('second')];
  await placeNew(first);
  await t.rejects(placeNew(second), { code: 'file-unwritable' });
  t.equal(readFileSync(destination, 'utf8'), 'first');
  t.equal(statSync(destination).mode & 0o777, 0o640);
  t.same(readdirSync(join(destination, '..')), ['out'], 'nothing is left beside it');
});
