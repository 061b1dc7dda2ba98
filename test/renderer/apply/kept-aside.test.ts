import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readDestination } from '../../../lib/renderer/apply/file.ts';
import { keepAside } from '../../../lib/renderer/apply/kept-aside.ts';

const now = new Date('2026-03-04T05:06:07.089Z');

async function makePresent(t: Test, text: string) {
  const file = join(t.testdir({ 'a.cfg': text }), 'a.cfg');
  const present = await readDestination(file);
  if (present === undefined) throw new Error('There is no file.');
  return { file, present, kept: `${file}.before-switchmaster-20260304T050607Z` };
}

/** Makes this folder the temporary one until the end of the test, so that copies of former runs do not interfere. */
function useTemporaryFolder(t: Test, folder: string): void {
  const { TMPDIR } = process.env;
  mkdirSync(folder);
  process.env.TMPDIR = folder;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
}

t.test('a file is kept beside under a dated name, and stays in its place', async (t) => {
  for (const placement of ['rename', 'in-place'] as const) {
    const { file, present, kept } = await makePresent(t, 'by hand\n');
    t.equal(await keepAside(present, { placement, now }), kept);
    writeFileSync(file, 'replaced\n');
    t.equal(readFileSync(kept, 'utf8'), 'by hand\n');
  }
});

t.test('a copy of the same content is not made again, and another is never overwritten', async (t) => {
  const { file, present, kept } = await makePresent(t, 'by hand\n');
  await keepAside(present, { placement: 'rename', now });
  t.equal(await keepAside(present, { placement: 'rename', now: new Date() }), kept);
  t.equal(readdirSync(join(file, '..')).length, 2);
  useTemporaryFolder(t, join(file, '../tmp'));
  const other = { ...present, bytes: Buffer.from('other\n') };
  writeFileSync(file, 'other\n');
  const elsewhere = await keepAside(other, { placement: 'rename', now });
  t.not(elsewhere, kept);
  t.equal(readFileSync(elsewhere, 'utf8'), 'other\n');
  t.equal(readFileSync(kept, 'utf8'), 'by hand\n');
});

t.test('it fails if no copy can be kept', async (t) => {
  const { file, present } = await makePresent(t, 'by hand\n');
  const { TMPDIR } = process.env;
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  process.env.TMPDIR = `${file}.none`;
  const gone = { ...present, path: join(`${file}.none`, 'a') };
  await t.rejects(keepAside(gone, { placement: 'rename', now }), {
    code: 'file-unwritable',
    message: /stays as it is/,
  });
});
