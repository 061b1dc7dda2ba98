import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { putRecord } from '../integration/support/rendering.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { findBrokenLinks } from './package-links.ts';

/* `npm run test:package`: the npm package, built, judged, unpacked and installed, by the commands that the README gives. */

const root = path.resolve(import.meta.dirname, '../..');
// attw brings a TypeScript of its own, so it is no dependency of the project.
const attw = ['--yes', '@arethetypeswrong/cli@0.18.5'];

const readme = await readFile(path.join(root, 'README.md'), 'utf8');
const [, install = ''] = /^(npm install --global "\$\(npm pack[^\n#]*\)")/m.exec(readme) ?? [];
const prefix = t.testdir({ global: {}, unpacked: {} });
const globalFolder = path.join(prefix, 'global');

await t.test('the install command of the README installs the package from the clone', async (t) => {
  t.ok(install !== '');
  await execa('sh', ['-ec', install], { cwd: root, env: { npm_config_prefix: globalFolder }, all: true });
  const installed = path.join(globalFolder, 'lib/node_modules/switchmaster');
  t.notOk((await readdir(installed)).includes('cmd'), 'it is a copy, and no link to the clone');
});

const [tarball = ''] = (await readdir(root)).filter((name) => /^switchmaster-.*\.tgz$/.test(name));
t.teardown(() => execa('rm', ['-f', path.join(root, tarball)]));

t.test('publint and attw find nothing wrong with its exports and types', async (t) => {
  await execa('publint', ['run', path.join(root, tarball), '--strict'], {
    preferLocal: true,
    localDir: root,
    all: true,
  });
  await execa('npx', [...attw, path.join(root, tarball), '--profile', 'esm-only'], { cwd: prefix, all: true });
  t.pass('both ended with 0');
});

t.test('every link in its pages leads to a file in it', async (t) => {
  const folder = path.join(prefix, 'unpacked');
  await execa('tar', ['-xzf', path.join(root, tarball), '-C', folder]);
  const entries = await readdir(path.join(folder, 'package'), { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(folder, 'package'), path.join(entry.parentPath, entry.name)));
  const pages = await Promise.all(
    files
      .filter((name) => name.endsWith('.md'))
      .map(async (name) => [name, await readFile(path.join(folder, 'package', name), 'utf8')] as const),
  );
  t.strictSame(findBrokenLinks(new Set(files), new Map(pages)), []);
});

t.test(
  'in a project of its own it installs, checks a config, renders a bundled template, and exports its types',
  async (t) => {
    const folder = path.join(prefix, 'project');
    await mkdir(folder);
    // Without it npm searches the parent folders, and installs into the clone.
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
    await execa('npm', ['install', '--no-audit', '--no-fund', path.join(root, tarball)], { cwd: folder, all: true });
    const switchmaster = async (...args: string[]) => {
      const { stdout } = await execa('node_modules/.bin/switchmaster', args, { cwd: folder });
      return stdout;
    };
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
    t.equal(await switchmaster('--version'), version);
    const sandbox = await Sandbox.openFor(t, { name: 'package' });
    const consul = await sandbox.consul();
    await putRecord(consul);
    const config = sandbox.write(
      'switchmaster.yml',
      JSON.stringify({
        consul: { address: consul.url },
        templates: [{ source: 'app.env.hbs', destination: sandbox.path('app.env') }],
      }),
    );
    t.match(await switchmaster('check', '--config', config), /The configuration is good/);
    await switchmaster('render', '--once', '--config', config);
    t.match(await readFile(sandbox.path('app.env'), 'utf8'), /10\.0\.0\.1|127\./);
    const script = "import { parseRecord } from 'switchmaster'; console.log(parseRecord('{}'));";
    const { stdout } = await execa(process.execPath, ['--input-type=module', '--eval', script], { cwd: folder });
    t.equal(stdout, 'undefined');
  },
);
