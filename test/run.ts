// Runs the tests: every test/**/*.test.ts, or the files given as arguments. Prints each file's result as it ends, then the
// failures, the slowest files and the CPU time. The last line is always "N passed, N failed".
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestReport } from './runner/report.ts';
import { stripTypes } from './runner/strip.ts';
import { runFile } from './runner/test-process.ts';

const jobs = 2;
const projectDir = fileURLToPath(new URL('..', import.meta.url));
const print = (line: string) => process.stdout.write(`${line}\n`);

/** Files that start servers come first: the short ones fill the end of the run. */
function testFiles(): string[] {
  const startsServers = (file: string) => /^test\/(integration|sandbox|http\/page)\//.test(file);
  const files = globSync('test/**/*.test.ts', { cwd: projectDir }).sort();
  return [...files.filter(startsServers), ...files.filter((file) => !startsServers(file))];
}

async function runAll(files: readonly string[], report: TestReport): Promise<void> {
  const waiting = [...files];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { input, end } = report.open(file);
      end(await runFile(file, { projectDir, input }));
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
}

const report = new TestReport({ print });
try {
  stripTypes(projectDir);
  await runAll(process.argv.length > 2 ? process.argv.slice(2) : testFiles(), report);
} catch (error) {
  report.fail({ path: ['npm test'], reason: error instanceof Error ? String(error.stack) : String(error) });
} finally {
  report.summarize();
  print(`\n${report.passed} passed, ${report.failed} failed`);
  process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1;
}
