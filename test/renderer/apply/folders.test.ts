import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createFolders, examineFolders } from '../../../lib/renderer/apply/folders.ts';
import { makeFolder } from '../../integration/support/rendering.ts';

const nobody = 65_534;
const skip = process.getuid?.() === 0 ? false : 'only root can make folders of somebody else';
const uid = process.geteuid?.() ?? 0;

/** Both must agree: what `check` accepts is created, and what it refuses is not. */
async function refuses(t: Test, file: string, message: RegExp): Promise<void> {
  await t.rejects(examineFolders(file), { code: 'file-unwritable', message });
  await t.rejects(createFolders(file), { code: 'file-unwritable', message });
}

t.test('missing folders are created, for all to read and for the daemon to write, whatever the umask', async (t) => {
  const root = makeFolder(t);
  for (const umask of [0o000, 0o077]) {
    const file = join(root, `umask-${umask}`, 'b', 'c', 'a.cfg');
    t.equal(await examineFolders(file), 'missing');
    t.notOk(existsSync(dirname(file)), 'an examination changes nothing');
    const before = process.umask(umask);
    await createFolders(file).finally(() => process.umask(before));
    for (let folder = dirname(file); folder !== root; folder = dirname(folder))
      t.match(statSync(folder), { uid, mode: 0o040755 }, folder);
    t.equal(await examineFolders(file), 'present');
    await createFolders(file);
  }
});

t.test('folders that exist keep their mode, and give their set-group-id bit to new ones', async (t) => {
  const root = makeFolder(t);
  mkdirSync(join(root, 'shared'));
  chmodSync(join(root, 'shared'), 0o2770);
  await createFolders(join(root, 'shared', 'new', 'a.cfg'));
  t.equal(statSync(join(root, 'shared')).mode & 0o7777, 0o2770);
  t.equal(statSync(join(root, 'shared', 'new')).mode & 0o7777, 0o2755);
});

t.test('a file or a dangling link on the way is refused, and a link to a folder is followed', async (t) => {
  const root = makeFolder(t);
  writeFileSync(join(root, 'file'), '');
  await refuses(t, join(root, 'file', 'x', 'a.cfg'), /cannot be created: a part of its path is a file/);
  symlinkSync('nowhere', join(root, 'dangling'));
  await refuses(
    t,
    join(root, 'dangling', 'a.cfg'),
    /dangling cannot be created: it is a link to a folder that does not exist/,
  );
  mkdirSync(join(root, 'real'));
  symlinkSync('real', join(root, 'link'));
  await createFolders(join(root, 'link', 'x', 'a.cfg'));
  t.ok(existsSync(join(root, 'real', 'x')));
  symlinkSync(join(root, 'later', 'a.cfg'), join(root, 'a.cfg'));
  await createFolders(join(root, 'a.cfg'));
  t.ok(existsSync(join(root, 'later')), 'the folder of the file that a link leads to');
});

t.test('no folder is created where somebody else could replace it by a link', { skip }, async (t) => {
  const root = makeFolder(t);
  chmodSync(root, 0o755);
  const [theirs, open, sticky] = ['theirs', 'open', 'sticky'].map((name) => join(root, name));
  for (const folder of [theirs, open, sticky]) mkdirSync(folder ?? '');
  chownSync(theirs ?? '', nobody, nobody);
  chmodSync(open ?? '', 0o777);
  chmodSync(sticky ?? '', 0o1777);
  await refuses(
    t,
    join(theirs ?? '', 'x', 'a.cfg'),
    /theirs cannot get a folder: it belongs to user 65534; create it yourself/,
  );
  await refuses(t, join(open ?? '', 'x', 'a.cfg'), /open cannot get a folder: everybody may write to it/);
  await createFolders(join(sticky ?? '', 'x', 'a.cfg'));
  t.match(statSync(join(sticky ?? '', 'x')), { uid: 0, mode: 0o040755 }, 'in a folder such as /tmp');
  t.equal(await examineFolders(join(theirs ?? '', 'a.cfg')), 'present', 'nothing to create');
  symlinkSync('sticky', join(theirs ?? '', 'link'));
  await refuses(t, join(theirs ?? '', 'link', 'y', 'a.cfg'), /leads to .* through a link that belongs to user/);
});
