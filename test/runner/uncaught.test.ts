import { fileURLToPath } from 'node:url';
import t from 'tap';
import { TestReport } from './report.ts';
import { runGroup } from './test-process.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));

t.test('an uncaught error and an unhandled rejection fail the test that they come from', async (t) => {
  const folder = t.testdir({
    'late.mjs': `import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
t.test('throws late', async () => {
  setTimeout(() => { throw new Error('late'); }, 1);
  await delay(100);
});
t.test('rejects', async () => {
  void Promise.reject(new Error('lost'));
  await delay(1);
});
t.test('passes', async (t) => t.pass());
`,
  });
  const lines: string[] = [];
  const report = new TestReport({ print: (line) => lines.push(line) });
  const { input, end } = report.open({ name: 'late.mjs', files: [] });
  end(await runGroup({ files: [`${folder}/late.mjs`] }, { projectDir, input }));
  // tap lists each failed test again at the end of the file.
  t.match(
    { passed: report.passed, failed: report.failed, text: lines.join('\n') },
    { passed: 1, failed: 4, text: /late\.mjs > throws late > late[\s\S]*late\.mjs > rejects > lost/ },
  );
});
