import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { loadConfig } from '../../lib/config/load.ts';
import { SwitchmasterError } from '../../lib/errors.ts';
import { blocksOf, projectDir, readPages } from './pages.ts';

const pages = await readPages();
const blocks = pages.flatMap((page) => blocksOf(page).map((block) => ({ ...block, file: page.file })));

t.test('every YAML example is a config that works', async (t) => {
  const folder = t.testdir({});
  // The files of a guide need the others of their machine: the next test reads those. Manifests are no config of ours.
  const isOther = (info: readonly string[]) => info.some((word) => word === 'manifest' || word.startsWith('file='));
  const examples = blocks.filter(({ language, info }) => language === 'yaml' && !isOther(info));
  t.ok(examples.length >= 5);
  for (const { file, line, content } of examples) {
    const name = `${file.replaceAll('/', '-')}-${line}.yml`;
    await writeFile(path.join(folder, name), await withSecrets(content, folder));
    const problems = await loadConfig({ paths: [path.join(folder, name)], environment: {} }).then(
      () => 'none',
      (thrown) => SwitchmasterError.from(thrown).message,
    );
    t.equal(problems, 'none', `${file}:${line}`);
  }
});

/** Creates an example's secret files and templates in a test folder, because their folder does not exist on this machine. */
async function withSecrets(content: string, folder: string): Promise<string> {
  await mkdir(path.join(folder, 'etc'), { recursive: true });
  let text = content;
  for (const match of content.matchAll(/(?:File: |source: )"?(\/etc\/switchmaster\/([\w.-]+))/g)) {
    const file = path.join(folder, 'etc', match[2] ?? '');
    await writeFile(file, 'secret');
    text = text.replaceAll(match[1] ?? '', file);
  }
  return text;
}

t.test('every JSON example is JSON', async (t) => {
  for (const { file, line, content } of blocks.filter(({ language }) => language === 'json')) {
    t.doesNotThrow(() => JSON.parse(content), `${file}:${line}`);
  }
});

t.test('every npm command that a page names exists', async (t) => {
  const { scripts } = JSON.parse(await readFile(path.join(projectDir, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = pages.flatMap(({ text }) =>
    [...text.matchAll(/npm run (?:--[\w-]+ )*([a-z][\w:-]*)/g)].map((match) => match[1] ?? ''),
  );
  t.ok(named.includes('demo'));
  t.strictSame(
    named.filter((name) => !Object.hasOwn(scripts, name)),
    [],
  );
  t.type(scripts.test, 'string');
});
