import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { keepBackup } from '../../../lib/renderer/apply/backup.ts';
import { readDestination } from '../../../lib/renderer/apply/file.ts';
import { makeFolder } from '../../integration/support/rendering.ts';

function makeFile(t: Test) {
  const folder = makeFolder(t);
  const [file, bak] = [join(folder, 'a.cfg'), join(folder, 'a.cfg.bak')];
  const warnings: string[] = [];
  const step = { spec: { backup: 'kept' }, warn: (warning: string) => warnings.push(warning) } as const;
  /** As a run does: the file has been replaced when the backup is written. */
  const replace = async (text: string) => {
    const present = await readDestination(file);
    writeFileSync(file, text);
    await keepBackup(step, present);
  };
  const aside = () => readdirSync(folder).filter((name) => name.startsWith('a.cfg.bak.before-switchmaster-'));
  return { folder, file, bak, warnings, replace, aside, read: () => readFileSync(bak, 'utf8') };
}

t.test('the former content is kept with its mode, and the next change replaces it', async (t) => {
  const { file, bak, warnings, replace, aside, read } = makeFile(t);
  await replace('one');
  t.notOk(existsSync(bak), 'there was no file');
  chmodSync(file, 0o640);
  await replace('two');
  t.equal(read(), 'one');
  t.equal(statSync(bak).mode & 0o777, 0o640);
  t.equal(statSync(file).nlink, 1);
  await replace('three');
  t.equal(read(), 'two');
  t.strictSame([warnings, aside()], [[], []]);
});

t.test('a backup of somebody else stays under another name, and one that was edited too', async (t) => {
  const { folder, bak, warnings, replace, aside, read } = makeFile(t);
  await replace('one');
  writeFileSync(bak, 'by hand');
  await replace('two');
  t.equal(read(), 'one');
  const [name = ''] = aside();
  t.equal(readFileSync(join(folder, name), 'utf8'), 'by hand');
  await replace('three');
  t.strictSame([aside(), warnings], [[name], []]);
});

t.test('a link or a folder in the place of a backup is a warning, and nothing is written through it', async (t) => {
  const { folder, bak, warnings, replace, aside, read } = makeFile(t);
  await replace('one');
  writeFileSync(join(folder, 'other'), 'other');
  symlinkSync('other', bak);
  await replace('two');
  t.equal(read(), 'one');
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'other', 'a link is replaced');
  const second = makeFile(t);
  await second.replace('one');
  mkdirSync(second.bak);
  writeFileSync(join(second.bak, 'x'), '');
  await second.replace('two');
  t.match(second.warnings, [/^The former .*a\.cfg is not kept\. .*a\.cfg\.bak cannot be replaced/]);
  t.strictSame([warnings, aside()], [[], []]);
});
