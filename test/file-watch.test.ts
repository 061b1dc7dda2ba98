import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { FileWatch } from '../lib/file-watch.ts';
import { waitFor } from './sandbox/condition.ts';

function watch(t: Test, files: readonly string[]) {
  let changes = 0;
  const onChange = () => {
    changes += 1;
  };
  const repeat = (look: () => void) => {
    const timer = setInterval(look, 5);
    return () => clearInterval(timer);
  };
  const watched = new FileWatch({ files, onChange, repeat });
  t.teardown(() => watched.close());
  return { watched, until: (count: number) => waitFor('a change', () => changes, { until: (seen) => seen === count }) };
}

t.test('a file that is written, appears or is swapped behind a link is a change', async (t) => {
  const folder = t.testdir({ token: 'a', '..1': { password: 'x' }, '..2': { password: 'y' } });
  symlinkSync('..1', `${folder}/data`);
  symlinkSync('data/password', `${folder}/password`);
  const { watched, until } = watch(
    t,
    ['token', 'later', 'password'].map((name) => `${folder}/${name}`),
  );
  await waitFor('its first look', () => watched.ready);
  writeFileSync(`${folder}/token`, 'bb');
  await until(1);
  writeFileSync(`${folder}/later`, 'c');
  await until(2);
  symlinkSync('..2', `${folder}/data.new`);
  renameSync(`${folder}/data.new`, `${folder}/data`);
  t.equal(await until(3), 3);
});

t.test('other files begin with their present state', async (t) => {
  const folder = t.testdir({ a: 'a', b: 'b' });
  const { watched, until } = watch(t, [`${folder}/a`]);
  watched.follow([`${folder}/b`]);
  await waitFor('its first look', () => watched.ready);
  writeFileSync(`${folder}/a`, 'aa');
  writeFileSync(`${folder}/b`, 'bb');
  t.equal(await until(1), 1);
});
