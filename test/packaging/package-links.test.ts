import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { findBrokenLinks } from './package-links.ts';

/* What would be in the package, without a build. `npm run test:package` builds and installs it. */
const root = path.resolve(import.meta.dirname, '../..');
const argv = ['pack', '--dry-run', '--json', '--ignore-scripts'];
const { stdout } = await promisify(execFile)('npm', argv, { cwd: root });
const [{ files: listed }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
const files = new Set(listed.map((file) => file.path));

t.test('every link in the pages of the package leads to a file of the package', async (t) => {
  const names = [...files].filter((name) => name.endsWith('.md'));
  t.ok(names.includes('README.md') && names.length > 20);
  const pages = await Promise.all(
    names.map(async (name) => [name, await readFile(path.join(root, name), 'utf8')] as const),
  );
  t.strictSame(findBrokenLinks(files, new Map(pages)), []);
});

t.test('a link that leads out of the package is found', async (t) => {
  const pages = new Map([
    ['docs/a.md', '[b](b.md#x) [c](../c) [d](https://d/) `[e](e)`\n```\n[f](f)\n```\n<img src="g.png">'],
  ]);
  t.strictSame(findBrokenLinks(new Set(['docs/b.md']), pages), ['docs/a.md: ../c', 'docs/a.md: g.png']);
});

t.test('what package.json exports is built from sources that exist', async (t) => {
  const { exports } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  for (const target of [exports['.'].types, exports['.'].default]) {
    const source = target.replace(/^\.\/dist\//, '').replace(/(\.d\.ts|\.js)$/, '.ts');
    t.ok(existsSync(path.join(root, source)), target);
  }
});

t.test('the build makes the command and the bundle that it starts, and the package has both', async (t) => {
  const { bin, files, scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  t.strictSame(bin, { switchmaster: 'dist/bin.cjs' });
  for (const name of ['dist/bin.cjs', 'dist/switchmaster.mjs']) t.ok(files.includes(name), name);
  t.match(scripts.build, / && node packaging\/main\.ts command >&2$/);
  const lock = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8'));
  t.strictSame(lock.packages[''].bin, bin);
  for (const name of ['bin-entry.ts', 'bundle-entry.ts']) t.ok(existsSync(path.join(root, 'packaging', name)), name);
});

t.test('it has the templates, the unit and the dashboards, and no tests', async (t) => {
  for (const name of [
    'templates/haproxy.cfg.hbs',
    'deploy/systemd/switchmaster.service',
    'deploy/grafana/switchmaster.json',
  ])
    t.ok(files.has(name), name);
  t.notOk([...files].some((name) => name.endsWith('.test.ts')));
});
