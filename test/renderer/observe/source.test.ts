import { chmodSync, chownSync, lchownSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { FileTexts, readTemplate } from '../../../lib/renderer/observe/source.ts';

t.test('with a sandbox, a template reads files in that folder only, whichever links lead there', async (t) => {
  const folder = t.testdir({ in: { a: 'a', deep: { b: 'b' } }, 'in-beside': { c: 'c' }, out: { d: 'd' } });
  symlinkSync('../out/d', `${folder}/in/link-out`);
  symlinkSync('deep/b', `${folder}/in/link-in`);
  symlinkSync('in', `${folder}/linked`);
  const outside = new RegExp(`cannot read the file .*: it is outside of sandboxPath ${folder}/`);
  const cases: Record<string, string | RegExp> = {
    'in/a': 'a',
    'in/deep/b': 'b',
    'in/link-in': 'b',
    'linked/a': 'a',
    'in/../in/a': 'a',
    'in/link-out': outside,
    'in/../out/d': outside,
    'in-beside/c': outside,
    in: outside,
    'in/absent': /ENOENT/,
    '../../../../../../../../../../../etc/hostname': outside,
  };
  for (const sandbox of ['in', 'linked', 'in/']) {
    const files = new FileTexts(`${folder}/${sandbox}`);
    await files.load(Object.keys(cases).map((path) => `${folder}/${path}`));
    for (const [path, expected] of Object.entries(cases)) {
      if (typeof expected === 'string')
        t.same(files.lookUp(`${folder}/${path}`), { kind: 'known', value: expected }, path);
      else t.throws(() => files.lookUp(`${folder}/${path}`), { code: 'template-failed', message: expected }, path);
    }
  }
  const free = new FileTexts();
  await free.load([`${folder}/out/d`]);
  t.same(free.lookUp(`${folder}/out/d`), { kind: 'known', value: 'd' });
});

t.test('a file that can no longer be read keeps its former text, and is read again', async (t) => {
  const folder = t.testdir({ a: 'first' });
  const path = `${folder}/a`;
  const files = new FileTexts();
  const textAfter = async (change: () => void) => {
    change();
    files.retry();
    if (files.lookUp(path).kind === 'unknown') await files.load([path]);
    return files.lookUp(path);
  };
  await files.load([path]);
  t.match(await textAfter(() => writeFileSync(path, 'half')), { value: 'first' }, 'a change has to last first');
  rmSync(path);
  t.match(await textAfter(() => files.renew()), { value: 'first' });
  t.match(files.problems, [/cannot read the file .*\/a: ENOENT.* had before is used\.$/]);
  t.match(await textAfter(() => writeFileSync(path, 'second')), { value: 'second' });
  t.same(files.problems, []);
});

t.test('a file that a good render did not read is read again', async (t) => {
  const folder = t.testdir({ a: 'a', b: 'b' });
  const files = new FileTexts();
  await files.load([`${folder}/a`, `${folder}/b`]);
  files.keepOnly([`${folder}/a`]);
  t.same(files.lookUp(`${folder}/a`), { kind: 'known', value: 'a' });
  t.same(files.lookUp(`${folder}/b`), { kind: 'unknown' });
});

t.test('a file that does not hold UTF-8 text is reported until it does', async (t) => {
  const path = `${t.testdir({ a: Buffer.from('f\u00fcr', 'latin1') })}/a`;
  const files = new FileTexts();
  await files.load([path]);
  t.match(files.lookUp(path), { value: 'f\u{fffd}r' });
  t.match(files.problems, [/\/a does not hold UTF-8 text: .*Save it as UTF-8/]);
  writeFileSync(path, 'f\u00fcr');
  files.renew();
  await files.load([path]);
  t.match(files.lookUp(path), { value: 'f\u00fcr' });
  t.same(files.problems, []);
});

const isRoot = process.getuid?.() === 0;

t.test('a template in another encoding is refused with its place', async (t) => {
  const folder = t.testdir({
    'a.hbs': Buffer.from('one\ntwo f\u00fcr\n', 'latin1'),
    good: { 'b.hbs': '\u{fffd}', '_part.hbs': Buffer.from('\u00fcber', 'latin1') },
  });
  const read = (source: string) => readTemplate({ source: `${folder}/${source}`, destination: '/c.conf' });
  const code = 'template-invalid';
  const why = 'it is not UTF-8 text; save it as UTF-8';
  await t.rejects(read('a.hbs'), {
    code,
    message: `Cannot read the template ${folder}/a.hbs: ${why} (line 2, column 6).`,
  });
  await t.rejects(read('good/b.hbs'), { code, message: `${folder}/good/_part.hbs: ${why} (line 1, column 1)` });
  rmSync(`${folder}/good/_part.hbs`);
  t.match(await read('good/b.hbs'), { template: { text: '\u{fffd}' } }, 'the character itself is UTF-8');
});

t.test(
  'a link of somebody else in a folder of templates leads to files of the same user only',
  { skip: isRoot ? false : 'only root can make files of somebody else' },
  async (t) => {
    const nobody = 65_534;
    const folder = t.testdir({ secret: 'secret of root', theirs: { 'a.hbs': 'a', own: 'own' } });
    chmodSync(folder, 0o755);
    for (const name of ['theirs', 'theirs/a.hbs', 'theirs/own']) chownSync(`${folder}/${name}`, nobody, nobody);
    const read = () => readTemplate({ source: `${folder}/theirs/a.hbs`, destination: '/c.conf' });
    const plant = (target: string, name: string) => {
      rmSync(`${folder}/theirs/${name}`, { force: true });
      symlinkSync(target, `${folder}/theirs/${name}`);
      lchownSync(`${folder}/theirs/${name}`, nobody, nobody);
    };
    plant('own', '_part.hbs');
    t.match((await read()).partials?.get('part'), { text: 'own' });
    const refused = {
      code: 'template-invalid',
      message: /leads to a file of another user, .*, through a link that belongs/,
    };
    plant('../secret', '_part.hbs');
    await t.rejects(read(), refused, 'a partial');
    rmSync(`${folder}/theirs/_part.hbs`);
    plant('../secret', 'a.hbs');
    await t.rejects(read(), refused, 'the template');
    lchownSync(`${folder}/theirs/a.hbs`, 0, 0);
    await t.rejects(read(), refused, 'a link of root in their folder');
  },
);
