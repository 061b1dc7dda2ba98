import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

/* The page needs no build step: the package that is built here has its files unchanged. */
const root = path.resolve(import.meta.dirname, '../../..');
const page = path.join(root, 'lib/http/page');

t.test('a build takes the files of the page along, and none of their types', async (t) => {
  const { build = '' } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).scripts as {
    build?: string;
  };
  const copy = build.split(' && ').find((step) => step.includes('lib/http/page'));
  const folder = t.testdir({});
  await mkdir(path.join(folder, 'lib/http'), { recursive: true });
  await cp(page, path.join(folder, 'lib/http/page'), { recursive: true });
  await promisify(execFile)('/bin/sh', ['-c', copy ?? 'false'], { cwd: folder, timeout: 10_000 });
  const served = readdirSync(page).filter((name) => /\.(html|css|js|svg)$/.test(name));
  t.ok(served.length > 20);
  t.strictSame(readdirSync(path.join(folder, 'dist/lib/http/page')).sort(), served.sort());
});

t.test('the page loads nothing that it does not have, and has nothing inline', async (t) => {
  const html = readFileSync(path.join(page, 'index.html'), 'utf8');
  const files = readdirSync(page);
  const sent = [...files, 'diff.min.js'];
  for (const [, file = ''] of html.matchAll(/(?:href|src)="\/page\/([^"]+)"/g)) t.ok(sent.includes(file), file);
  t.notMatch(html, /<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?:/);
  for (const name of files.filter((file) => file.endsWith('.js'))) {
    const script = readFileSync(path.join(page, name), 'utf8');
    t.notMatch(
      script,
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|localStorage|sessionStorage|eval\(/,
      name,
    );
    for (const [, target = ''] of script.matchAll(/from '(\.\/[^']+)'/g)) {
      if (target.endsWith('.js')) t.ok(files.includes(target.slice(2)), `${name} imports ${target}`);
    }
  }
});
