// Runs the tests: every test/**/*.test.ts, or the files given as arguments. Prints each file's result as it ends, then the
// failures, the slowest files and the CPU time. The last line is always "N passed, N failed".
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { childrenCpuMs } from './runner/cpu-time.ts';
import { programVariable } from './runner/environment.ts';
import { orderFiles } from './runner/order.ts';
import { ProcessPool } from './runner/pool.ts';
import { buildProgram } from './runner/program.ts';
import { runQueue } from './runner/queue.ts';
import { TestReport } from './runner/report.ts';
import { stripTypes } from './runner/strip.ts';

const projectDir = fileURLToPath(new URL('..', import.meta.url));
const print = (line: string) => process.stdout.write(`${line}\n`);

function chooseFiles(named: readonly string[]): readonly string[] {
  return named.length > 0 ? named : orderFiles(globSync('test/**/*.test.ts', { cwd: projectDir }), { projectDir });
}

const report = new TestReport({ print });
const pool = new ProcessPool({ projectDir });
try {
  stripTypes(projectDir);
  process.env[programVariable] = await buildProgram();
  // What the set-up wrote: a Sentinel whose own fsync waits for that for 2 s is in TILT mode, and fails nothing over for 30 s.
  execFileSync('sync');
  const run = async (file: string) => {
    const { tap, end } = report.open(file);
    end(await pool.run(file, tap));
  };
  // A CI machine has time: fewer files at once disturb each other less.
  const mostJobs = process.env.CI === 'true' ? 2 : 4;
  await runQueue(chooseFiles(process.argv.slice(2)), { limits: { jobs: 2, mostJobs }, run });
} catch (error) {
  report.fail({ path: ['npm test'], reason: error instanceof Error ? String(error.stack) : String(error) });
} finally {
  for (const reason of await pool.end()) report.fail({ path: ['npm test'], reason });
  const { user, system } = process.cpuUsage();
  report.summarize({ cpuMs: (user + system) / 1_000 + childrenCpuMs() });
  print(`\n${report.passed} passed, ${report.failed} failed`);
  process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1;
}
