import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { blocksOf, readPage } from '../docs/pages.ts';
import { runGo } from '../sandbox/go.ts';

/*
 * `npm run test:manifests`: the job for Nomad and the manifests for Kubernetes have no block and no field that the orchestrators' own
 * Go types lack. It needs Go. What they mean is compared in test/docs/configs.test.ts; no cluster runs.
 */

const pages = [
  { kind: 'nomad', page: 'docs/guide/nomad.md', word: 'min_healthy_time', refusal: /no attribute "min_healthy_tim"/ },
  {
    kind: 'kubernetes',
    page: 'docs/guide/kubernetes.md',
    word: 'containerPort',
    refusal: /unknown field .*"containerPor"/,
  },
];
const folder = t.testdir({});

for (const { kind, page, word, refusal } of pages)
  t.test(`${page} names only what ${kind} has`, async (t) => {
    const [block] = blocksOf(await readPage(page));
    const file = join(folder, kind);
    const check = () => runGo(join(import.meta.dirname, 'go'), { args: [kind, file], neededBy: 'test:manifests' });
    await writeFile(file, block?.content ?? '');
    await check();
    await writeFile(file, (await readFile(file, 'utf8')).replace(word, word.slice(0, -1)));
    await t.rejects(check(), refusal, 'a misspelled name is found');
  });
