// Runs the tests: every test/**/*.test.ts, or the files given as arguments. Prints each file's result as it ends, then the
// failures, the slowest files and the CPU time. The last line is always "N passed, N failed".
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { groupFiles, type TestGroup } from './runner/group.ts';
import { runQueue } from './runner/queue.ts';
import { TestReport } from './runner/report.ts';
import { stripTypes } from './runner/strip.ts';
import { runGroup } from './runner/test-process.ts';

const projectDir = fileURLToPath(new URL('..', import.meta.url));
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Named files have a process each. */
function chooseGroups(named: readonly string[]): readonly TestGroup[] {
  if (named.length > 0) return named.map((file) => ({ name: file, files: [file] }));
  return groupFiles(globSync('test/**/*.test.ts', { cwd: projectDir }).sort(), { projectDir });
}

const report = new TestReport({ print });
try {
  stripTypes(projectDir);
  const run = async (group: TestGroup) => {
    const { input, end } = report.open(group);
    end(await runGroup(group, { projectDir, input }));
  };
  await runQueue(chooseGroups(process.argv.slice(2)), { limits: { jobs: 2, mostJobs: 4 }, run });
} catch (error) {
  report.fail({ path: ['npm test'], reason: error instanceof Error ? String(error.stack) : String(error) });
} finally {
  report.summarize();
  print(`\n${report.passed} passed, ${report.failed} failed`);
  process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1;
}
