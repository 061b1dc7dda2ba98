import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { parse } from 'yaml';

const root = path.resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

interface Workflow {
  readonly on: unknown;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[]; readonly 'timeout-minutes'?: number }>>;
}

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

const files = globSync('.github/workflows/*.yml', { cwd: root });
const workflows = files.map((file) => [file, parse(readFileSync(path.join(root, file), 'utf8')) as Workflow] as const);
const steps = workflows.flatMap(([, { jobs }]) => Object.values(jobs).flatMap((job) => job.steps));

t.test('both workflows run .ci/run, with few rights and an end', (t) => {
  t.strictSame(files.sort(), ['.github/workflows/ci.yml', '.github/workflows/release.yml']);
  for (const [file, { jobs, permissions }] of workflows) {
    t.strictSame(permissions, { contents: 'read' }, file);
    for (const job of Object.values(jobs)) {
      t.ok((job['timeout-minutes'] ?? 0) > 0, file);
      t.ok(
        job.steps.some(({ run }) => run === 'bash .ci/run'),
        file,
      );
    }
  }
  t.end();
});

t.test('each action is pinned to a commit', (t) => {
  const used = steps.flatMap(({ uses }) => uses ?? []);
  t.ok(used.length > 0);
  for (const action of used) t.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  t.end();
});

t.test('each npm script that a step runs exists', (t) => {
  const named = steps.flatMap(({ run = '' }) => [...run.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name));
  t.ok(named.length > 3);
  for (const name of named) t.ok(Object.hasOwn(scripts, name), name);
  t.end();
});

t.test('what depends on others is kept up to date, each in a folder that has it', (t) => {
  const { updates } = parse(readFileSync(path.join(root, '.github/dependabot.yml'), 'utf8'));
  const needed: Readonly<Record<string, string>> = { npm: 'package.json', docker: 'Dockerfile' };
  for (const { 'package-ecosystem': kind, directory } of updates) {
    const file = path.join(root, directory, needed[kind] ?? '.github/workflows/ci.yml');
    t.ok(readFileSync(file).length > 0, file);
  }
  t.end();
});
