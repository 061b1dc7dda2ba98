import { existsSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { projectDir, readPage } from './pages.ts';

const topFolders = /^(lib|cmd|test|templates|deploy)\//;

/** The paths of one cell. A name without a folder lies in the folder that was named before it. */
function pathsOf(cell: string, home: 'project' | 'docs'): readonly string[] {
  let folder = '';
  return [...cell.matchAll(/`([^`*]+)`/g)].flatMap(([, name = '']) => {
    if (!/\/|\.(ts|md)$/.test(name)) return [];
    if (topFolders.test(name)) {
      folder = name.endsWith('/') ? name : path.dirname(name);
      return [name];
    }
    return [home === 'docs' ? path.join('docs', name) : path.join(folder, name)];
  });
}

t.test('the table of where to work names files that exist', async (t) => {
  const { text } = await readPage('docs/architecture.md');
  const section = text.slice(text.indexOf('## Where to work')).split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| to change'));
  t.ok(rows.length >= 15);
  for (const row of rows) {
    const [change = '', code = '', tests = '', docs = ''] = row.slice(2).split(' | ');
    const paths = [...pathsOf(code, 'project'), ...pathsOf(tests, 'project'), ...pathsOf(docs, 'docs')];
    t.ok(paths.length >= 2, `${change}: code and docs or tests`);
    for (const file of paths) t.ok(existsSync(path.join(projectDir, file)), `${change}: ${file}`);
  }
});
