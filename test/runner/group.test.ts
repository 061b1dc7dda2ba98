import t from 'tap';
import { groupFiles } from './group.ts';
import { TestReport } from './report.ts';
import { runGroup } from './test-process.ts';

t.test('files of a folder share a process, except those that start servers', async (t) => {
  const pure = "import t from 'tap';";
  const projectDir = t.testdir({
    test: {
      'imports.test.ts': pure,
      config: { 'a.test.ts': pure, nested: { 'b.test.ts': pure } },
      cluster: { 'c.test.ts': pure, 'd.test.ts': "import { Sandbox } from '../sandbox/sandbox.ts';" },
      integration: { bridge: { 'e.test.ts': pure } },
    },
  });
  const files = ['imports', 'cluster/c', 'cluster/d', 'config/a', 'config/nested/b', 'integration/bridge/e'];
  const groups = groupFiles(
    files.map((file) => `test/${file}.test.ts`),
    { projectDir },
  );
  t.strictSame(
    groups.map(({ name }) => name),
    [
      'test/imports.test.ts',
      'test/cluster/d.test.ts',
      'test/integration/bridge/e.test.ts',
      'test/cluster (1)',
      'test/config (2)',
    ],
  );
});

t.test('files that share a process: failures are named by their files, and a file without tests fails', async (t) => {
  const folder = t.testdir({
    'good.mjs': "import t, { Test } from 'tap';\nt.test('is well', async (t) => t.ok(t instanceof Test));",
    'wrong.mjs': "import t from 'tap';\nt.test('is wrong', async (t) => t.ok(false, 'it broke'));",
    'thrown.mjs': "import 'tap';\nthrow new Error('not loaded');",
    'late.mjs':
      "import t from 'tap';\nt.test('throws', () => new Promise(() => setTimeout(() => { throw new Error('later'); })));",
    'empty.mjs': "import 'tap';",
    'last.mjs': "import t from 'tap';\nt.equal(t.name.endsWith('last.mjs'), true);",
  });
  const files = ['good', 'wrong', 'thrown', 'late', 'empty', 'last'].map((name) => `${folder}/${name}.mjs`);
  const lines: string[] = [];
  const report = new TestReport({ print: (line) => lines.push(line) });
  const { input, end } = report.open({ name: 'together', files });
  end(await runGroup({ files }, { projectDir: new URL('../..', import.meta.url).pathname, input }));
  const failures = lines.flatMap((line) => /^\nFAILED together > (?:\S*\/)?(.*)/.exec(line)?.[1] ?? []);
  t.equal(report.passed, 2);
  t.strictSame(failures, [
    'wrong.mjs > is wrong > it broke',
    'thrown.mjs > not loaded',
    'late.mjs > throws > later',
    'empty.mjs',
  ]);
});
