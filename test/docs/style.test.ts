import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { plainWords } from './plain-words.ts';

const root = path.resolve(import.meta.dirname, '../..');
/** These pages and lists name the words that they replace. */
const lists = new Set(['docs/style.md', 'CHANGELOG.md', 'test/docs/plain-words.ts']);

function listTexts(): readonly string[] {
  const patterns = [
    'README.md',
    'docs/**/*.md',
    'cmd/**/*.ts',
    'lib/**/*.{ts,js}',
    'templates/*',
    '{bench,demo,setup,test}/**/*.{ts,mjs,md}',
    'deploy/**/*.{yml,json,sh,service,conf}',
  ];
  return globSync(patterns, { cwd: root })
    .filter((file) => !lists.has(file))
    .toSorted();
}

t.test('no text has the marks of a merge', async (t) => {
  const marked = [...listTexts(), ...lists].filter((file) =>
    /^(?:<{7}|>{7}) /m.test(readFileSync(path.join(root, file), 'utf8')),
  );
  t.strictSame(marked, []);
});

t.test('prose, comments and messages use the words of the style sheet', async (t) => {
  const files = listTexts();
  t.ok(files.length > 200);
  const found = files.flatMap((file) =>
    readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) =>
        plainWords
          .filter(([pattern]) => pattern.test(line))
          .map(([pattern, plain]) => `${file}:${index + 1} ${line.match(pattern)?.[0]} → ${plain}`),
      ),
  );
  t.strictSame(found, []);
});
