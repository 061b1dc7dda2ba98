import { chownSync, lchownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { loadConfig } from '../lib/config/load.ts';
import { readFollowedBytes } from '../lib/followed-file.ts';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

t.test('a link of another user leads to files of the same user only', { skip: !isRoot }, async (t) => {
  const folder = t.testdir({ own: 'of root', theirs: { file: 'of nobody' } });
  const theirs = join(folder, 'theirs');
  for (const path of [theirs, join(theirs, 'file')]) chownSync(path, nobody, nobody);
  const link = (name: string, target: string): string => {
    const path = join(theirs, name);
    symlinkSync(target, path);
    lchownSync(path, nobody, nobody);
    return path;
  };
  const toOwn = link('to-own', '../own');
  t.equal(String(await readFollowedBytes(link('to-theirs', 'file'))), 'of nobody');
  for (const path of [toOwn, link('again', 'to-own')])
    await t.rejects(readFollowedBytes(path), {
      message:
        /leads to a file of another user, .*own, through a link.* 65534.*; name the file itself, or give the link/,
    });
  symlinkSync('../own', join(theirs, 'of-root'));
  await t.rejects(readFollowedBytes(join(theirs, 'of-root')), { message: /another user, .*own, through a link/ });
  symlinkSync('own', join(folder, 'link-of-root'));
  t.equal(String(await readFollowedBytes(join(folder, 'link-of-root'))), 'of root');
  writeFileSync(join(folder, 'c.yml'), `sentinel: { passwordFile: ${toOwn} }\n`);
  await t.rejects(loadConfig({ paths: [join(folder, 'c.yml')], environment: {} }), {
    message: /passwordFile: cannot read .*a file of another user/,
  });
});

t.test('a relative path starts at the working directory', async (t) => {
  const folder = t.testdir({ in: { file: 'text' } });
  const path = relative(process.cwd(), join(folder, 'in/../in/./file'));
  for (const one of [path, `./${path}`]) t.equal(String(await readFollowedBytes(one)), 'text');
});

t.test('a folder that is replaced while its link is followed is followed again', async (t) => {
  const folder = t.testdir({ one: { file: 'one' }, two: { file: 'two' } });
  const path = join(folder, 'current', 'file');
  symlinkSync('one', join(folder, 'current'));
  let replaced = false;
  const reading = readFollowedBytes(path, {
    accept: () => {
      if (replaced) return undefined;
      replaced = true;
      // As a Kubernetes volume does it.
      symlinkSync('two', join(folder, 'next'));
      renameSync(join(folder, 'next'), join(folder, 'current'));
      renameSync(join(folder, 'one'), join(folder, 'gone'));
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    },
  });
  t.equal(String(await reading), 'two');
  mkdirSync(join(folder, 'empty'));
  await t.rejects(readFollowedBytes(join(folder, 'empty/file')), { code: 'ENOENT' });
});
