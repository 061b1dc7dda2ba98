import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isKnownProgram } from '../../../../lib/renderer/apply/shell/known-program.ts';

t.test('a program is known if the system finds it in a fixed PATH and executes it by itself', async (t) => {
  const folder = t.testdir({
    plain: 'echo no interpreter\n',
    script: '#!/bin/sh\n',
    spaced: '#! /bin/sh -e\n',
    broken: '#!/no/such/interpreter\n',
    relative: '#!sh\n',
    empty: '',
    refused: '#!/bin/sh\n',
    folder: {},
  });
  for (const name of ['plain', 'script', 'spaced', 'broken', 'relative', 'empty']) chmodSync(join(folder, name), 0o755);
  chmodSync(join(folder, 'refused'), 0o644);
  const isKnown = (file: string, PATH?: string) => isKnownProgram({ file, env: { PATH } });
  const cases: readonly (readonly [string, string | undefined, boolean])[] = [
    [process.execPath, undefined, true],
    ['touch', '/no/such/folder:/bin:/usr/bin', true],
    ['touch', '/no/such/folder', false],
    ['touch', undefined, false],
    ['touch', '/bin:/usr/bin:.', false],
    ['touch', ':/bin:/usr/bin', false],
    ['script', folder, true],
    [join(folder, 'script'), undefined, true],
    [join(folder, 'spaced'), undefined, true],
    ...['plain', 'broken', 'relative', 'empty', 'refused', 'folder', 'missing'].map(
      (name) => [join(folder, name), undefined, false] as const,
    ),
  ];
  for (const [file, path, known] of cases) t.equal(isKnown(file, path), known, `${file} in ${path}`);
});
