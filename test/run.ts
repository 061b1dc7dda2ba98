// Runs the tests under tap, tells failures as they come, and ends with a line that says what passed, whatever happens.
// Arguments: test files, where not all are meant.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { TestReport } from './report.ts';

const limitMs = 1_200_000;
const projectDir = fileURLToPath(new URL('..', import.meta.url));
const tap = fileURLToPath(new URL('../node_modules/tap/dist/esm/run.mjs', import.meta.url));

async function run(files: readonly string[]): Promise<TestReport> {
  const report = new TestReport({ print: (line) => process.stdout.write(`${line}\n`) });
  // Our own Node is first on its PATH, so that the programs that tests start by name run on it too.
  const env = { ...process.env, PATH: `${projectDir}node_modules/.bin:${process.env.PATH}` };
  const child = spawn(process.execPath, [tap, 'run', '--reporter=tap', ...files], {
    cwd: projectDir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
  });
  const closed = once(child, 'close');
  child.stdout.pipe(report.input);
  const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
  if (code !== 0 && report.failed === 0) report.fail(`tap ended with ${signal ?? `exit code ${code}`}`);
  if (report.passed === 0 && report.failed === 0) report.fail('no test ran');
  return report;
}

/** More failing files than this are no accident of a busy machine. */
const mostUnsteady = 2;

/**
 * Servers that share two cores with other tests can miss a deadline. One or two files that failed are run once more,
 * alone; that they needed it is said, so that it is not lost.
 */
async function runAgain(report: TestReport): Promise<void> {
  const files = report.failedFiles ?? [];
  if (files.length === 0 || files.length > mostUnsteady) return;
  process.stdout.write(`\nonce more, alone: ${files.join(', ')}\n`);
  const second = await run(files);
  report.replace(files, second);
  if (second.failed === 0) process.stdout.write(`unsteady, passed alone: ${files.join(', ')}\n`);
}

let passed = 0;
let failed = 1;
try {
  const report = await run(process.argv.slice(2));
  if (report.failed > 0) await runAgain(report);
  report.summarize();
  ({ passed, failed } = report);
} catch (error) {
  console.error(error);
} finally {
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
