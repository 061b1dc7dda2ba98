import { globSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { importKinds } from '../../lib/import/kind.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { runCommand } from '../cmd/command.ts';
import { makeRecord, textOf } from '../template/world.ts';
import { commandsOf, filesOf } from './migration-pages.ts';
import { projectDir, readPage } from './pages.ts';

const files = globSync('docs/guide/migrations/*.md', { cwd: projectDir }).toSorted();
const pages = await Promise.all(files.map(readPage));

/** The files of a page in a folder, and its commands, whose paths begin there. */
async function open(page: (typeof pages)[number], folder: string) {
  const shown = filesOf(page);
  const given = shown.filter(({ name }) => !name.startsWith('imported/'));
  await mkdir(folder, { recursive: true });
  for (const { name, text } of given) await writeFile(path.join(folder, name), text);
  return { commands: commandsOf(page), results: shown.filter(({ name }) => name.startsWith('imported/')) };
}

t.test('each page of a migration imports its config as it shows', async (t) => {
  const folder = t.testdir({});
  const before = process.cwd();
  t.teardown(() => process.chdir(before));
  const imported = new Set<string>();
  for (const page of pages) {
    const name = path.basename(page.file, '.md');
    const { commands, results } = await open(page, path.join(folder, name));
    process.chdir(path.join(folder, name));
    t.ok(commands.length > 0 && results.length > 0, page.file);
    for (const words of commands) {
      imported.add(words[1] ?? '');
      const { code, stderr } = await runCommand(words);
      t.equal(code, stderr.includes('to do') ? 1 : 0, stderr);
      // Apart from what only this machine lacks, the result is a valid config.
      const checked = await runCommand(['check', '--config', words.at(-1) ?? '']);
      t.match(checked.stdout, /The configuration is (?:valid|good)/, checked.stderr);
    }
    for (const { name: result, text } of results) {
      t.equal(await readFile(result, 'utf8'), text, `${page.file}: ${result}`);
    }
  }
  t.strictSame([...imported].sort(), [...importKinds].sort(), 'every kind has a page');
});

t.test('an imported template for twemproxy writes the pools and settings of the former config', async (t) => {
  const page = await readPage('docs/guide/migrations/twemproxy-agents.md');
  const text = (name: string) => filesOf(page).find((file) => file.name === name)?.text ?? '';
  const former = parse(text('nutcracker.yml'));
  const { vars } = parse(text('imported/switchmaster.yml')).templates[0];
  const source = await readFile(path.join(projectDir, 'templates/twemproxy.yml.hbs'), 'utf8');
  const template = compileTemplate({ template: { file: 'twemproxy.yml.hbs', text: source }, format: 'yaml' });
  const records = [5, 6].map((host, i) => {
    const master = { host: `10.0.0.${host}`, port: 6379 };
    const value = JSON.stringify({ ...makeRecord(), name: `shard${i + 1}`, master, replicas: [] });
    return { key: `redis/record/shard${i + 1}`, value, modifyIndex: 1 };
  });
  const rendered = template.render({
    vars,
    environment: undefined,
    env: () => undefined,
    lookUpFile: () => ({ kind: 'unknown' }),
    lookUp: () => ({ kind: 'known', value: records as never }),
  });
  const { root } = parse(textOf(rendered));
  t.match(root, former.root);
});

t.test('the steps that all migrations share name commands and options that exist', async (t) => {
  const commands = commandsOf(await readPage('docs/guide/migrations.md'));
  t.ok(commands.length > 5);
  for (const [command = '', ...words] of commands) {
    const { stdout } = await runCommand([command, '--help']);
    for (const option of words.filter((word) => word.startsWith('--'))) t.match(stdout, option, `${command} ${option}`);
  }
});
