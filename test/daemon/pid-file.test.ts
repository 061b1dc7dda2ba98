import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { examinePidFile, removePidFile, writePidFile } from '../../lib/daemon/pid-file.ts';

t.test('the file has the process id until the daemon stops', async (t) => {
  const folder = t.testdir({ old: '4194304\n', other: '', linked: '' });
  symlinkSync('linked', join(folder, 'link'));
  for (const name of ['new', 'old', 'other', 'link']) {
    const path = join(folder, name);
    t.equal(await examinePidFile(path), undefined, name);
    const before = process.umask(0o077);
    await writePidFile(path).finally(() => process.umask(before));
    t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
    await writePidFile(path);
    await removePidFile(path);
    t.notOk(existsSync(path), name);
  }
  t.ok(existsSync(join(folder, 'old')) === false && !existsSync(join(folder, 'linked')));
  writeFileSync(join(folder, 'taken'), '4194304\n');
  await removePidFile(join(folder, 'taken'));
  t.equal(readFileSync(join(folder, 'taken'), 'utf8'), '4194304\n', 'another daemon has written its own');
  await removePidFile(join(folder, 'absent'));
});

t.test('what is no pid file stays, and the reason says what to do', async (t) => {
  const folder = t.testdir({ text: 'root:x:0:0\n', long: '1'.repeat(100) });
  mkdirSync(join(folder, 'folder'));
  symlinkSync('text', join(folder, 'link'));
  const cases: readonly (readonly [string, RegExp])[] = [
    ['text', /text cannot be written: it holds something else than a process id; remove it/],
    ['link', /link cannot be written: it holds something else than a process id/],
    ['long', /it holds something else than a process id/],
    ['folder', /it is no regular file; name another one/],
    ['gone/x', /its folder does not exist; create it/],
    ['/dev/null', /it is no regular file/],
    // Its first byte cannot be read.
    [
      '/proc/self/mem',
      /mem cannot be written: what it holds cannot be read \(EIO.*\); let the daemon read it, remove it/,
    ],
  ];
  for (const [name, message] of cases) {
    const path = name.startsWith('/') ? name : join(folder, name);
    t.match(await examinePidFile(path), message, name);
    await t.rejects(writePidFile(path), { code: 'file-unwritable', message }, name);
  }
  t.equal(readFileSync(join(folder, 'text'), 'utf8'), 'root:x:0:0\n');
  t.ok(statSync('/dev/null').isCharacterDevice());
});

t.test('a file of the same name with .new stays', async (t) => {
  const folder = t.testdir({ 'pid.new': 'of the user' });
  const path = join(folder, 'pid');
  await writePidFile(path);
  t.equal(readFileSync(path, 'utf8'), `${process.pid}\n`);
  t.equal(readFileSync(join(folder, 'pid.new'), 'utf8'), 'of the user');
  t.strictSame(readdirSync(folder).sort(), ['pid', 'pid.new']);
});
