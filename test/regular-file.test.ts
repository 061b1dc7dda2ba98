import { renameSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { followForReading } from '../lib/links.ts';
import { readRegularFile } from '../lib/regular-file.ts';

t.test('a file that is replaced while it is read is read again', async (t) => {
  const folder = t.testdir({ 'a.hbs': 'old', new: 'new' });
  const path = join(folder, 'a.hbs');
  const { target, refuse: accept } = await followForReading(path);
  const handle = await open(path);
  const handles = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const { stat } = handles;
  let replaced = 0;
  t.intercept(handles, 'stat', {
    async value(this: typeof handle) {
      const info = await stat.call(this);
      if (replaced++ === 0) renameSync(join(folder, 'new'), path);
      return info;
    },
  });
  t.equal(await readRegularFile(target, { accept }), 'new');
  t.ok(replaced > 1);
});

t.test('a file that stays refused is not read', async (t) => {
  const path = join(t.testdir(), 'a.hbs');
  writeFileSync(path, 'text');
  await t.rejects(readRegularFile(path, { accept: () => 'it is not wanted' }), { message: 'it is not wanted' });
});
