import { access } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { anchorsOf, type Page, projectDir, proseOf, readPages } from './pages.ts';

const pages = await readPages();
const byFile = new Map(pages.map((page) => [page.file, page]));

async function problemWith(page: Page, target: string): Promise<string | undefined> {
  const [relative = '', anchor] = target.split('#');
  const file = relative === '' ? page.file : path.join(path.dirname(page.file), relative);
  const there = await access(path.join(projectDir, file)).then(
    () => true,
    () => false,
  );
  if (!there) return `${page.file}: ${target} is not there`;
  const linked = byFile.get(file);
  if (anchor === undefined || linked === undefined || anchorsOf(linked).has(anchor)) return undefined;
  return `${page.file}: ${target} names a heading that is not there`;
}

t.test('every link within the project has a target', async (t) => {
  const links = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => ({ page, target: match[1] ?? '' })),
  );
  const inside = links.filter(({ target }) => !/^[a-z]+:/.test(target));
  t.ok(inside.length > 20);
  const problems = await Promise.all(inside.map(({ page, target }) => problemWith(page, target)));
  t.strictSame(
    problems.filter((problem) => problem !== undefined),
    [],
  );
});

t.test('every page of the docs can be reached from the README', async (t) => {
  const reached = new Set(['README.md']);
  for (const file of reached) {
    const page = byFile.get(file);
    if (page === undefined) continue;
    for (const match of proseOf(page).matchAll(/\]\(([^)\s#]+\.md)/g)) {
      reached.add(path.join(path.dirname(file), match[1] ?? ''));
    }
  }
  t.strictSame(
    pages.map(({ file }) => file).filter((file) => !reached.has(file)),
    [],
  );
});

t.test('no page names a path of the machine that it was written on', async (t) => {
  const wrong = pages.filter(({ text }) => /\/work\/|\/root\/|\/home\/|\/tmp\//.test(text));
  t.strictSame(
    wrong.map(({ file }) => file),
    [],
  );
});
