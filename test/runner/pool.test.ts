import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ProcessPool } from './pool.ts';
import { TestReport } from './report.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));

/** Runs files one after another, and answers the failures by file and test, with their reasons. */
async function runFiles(t: Test, sources: Readonly<Record<string, string>>) {
  const files = Object.fromEntries(Object.entries(sources).map(([name, lines]) => [`${name}.mjs`, lines]));
  const folder = t.testdir(files);
  const lines: string[] = [];
  const report = new TestReport({ print: (line) => lines.push(line) });
  const pool = new ProcessPool({ projectDir, closingMs: 1_000 });
  for (const name of Object.keys(files)) {
    const { tap, end } = report.open(name);
    end(await pool.run(`${folder}/${name}`, tap));
  }
  await pool.end();
  const failures = lines.flatMap((line) => /^\nFAILED (.*)/.exec(line)?.[1] ?? []);
  return { passed: report.passed, failures, text: lines.join('\n') };
}

const pid = (check: string) => `import t from 'tap';
globalThis.pids = [...(globalThis.pids ?? []), process.pid];
t.test('has a process', async (t) => t.ok(${check}));`;

t.test('files share a process until one fails', async (t) => {
  const { passed, failures } = await runFiles(t, {
    first: pid('globalThis.pids.length === 1'),
    second: pid('globalThis.pids.length === 2'),
    wrong: pid('globalThis.pids.length < 3'),
    fourth: pid('globalThis.pids.length === 1'),
  });
  t.equal(passed, 3);
  t.match(failures, [/^wrong\.mjs > has a process > /]);
});

t.test('failures are named by their files', async (t) => {
  const { passed, failures, text } = await runFiles(t, {
    good: "import t, { Test } from 'tap';\nt.test('is well', async (t) => t.ok(t instanceof Test));",
    thrown: "import 'tap';\nthrow new Error('not loaded');",
    late: `import t from 'tap';
t.test('throws', () => new Promise(() => setTimeout(() => { throw new Error('later'); })));
t.test('rejects', async () => { void Promise.reject(new Error('lost')); await new Promise(setImmediate); });
t.test('passes', async (t) => t.pass());`,
    empty: "import 'tap';",
    killed: "import t from 'tap';\nt.test('ends', () => process.kill(process.pid, 'SIGKILL'));",
    open: "import t from 'tap';\nt.test('is well', async (t) => t.pass());\nsetInterval(() => {}, 1_000);",
    last: "import t from 'tap';\nt.ok(t.name.endsWith('last.mjs'));",
  });
  t.equal(passed, 4);
  t.strictSame(
    failures.map((failure) => failure.replace(/ \/\S*\//, ' ')),
    [
      'thrown.mjs > not loaded',
      'late.mjs > throws > later',
      'late.mjs > rejects > lost',
      'empty.mjs',
      'killed.mjs',
      'open.mjs',
    ],
  );
  for (const reason of [/no test ran/, /the process ended with SIGKILL/, /it left open: Timeout/]) {
    t.match(text, reason);
  }
});
