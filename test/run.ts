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

let passed = 0;
let failed = 1;
try {
  const report = await run(process.argv.slice(2));
  report.summarize();
  ({ passed, failed } = report);
} catch (error) {
  console.error(error);
} finally {
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
