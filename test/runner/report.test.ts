import t from 'tap';
import { Parser } from 'tap-parser';
import { TestReport } from './report.ts';

/** What the report prints, and counts, for one file with this TAP. */
function reportOf(tap: string, problem?: string) {
  const lines: string[] = [];
  const report = new TestReport({ print: (line) => lines.push(line) });
  const { tap: file, end } = report.open('a.test.ts');
  const parser = new Parser();
  file.follow(parser);
  parser.end(`TAP version 14\n${tap}`);
  end({ problem, wallMs: 2_000, cpuMs: 500 });
  report.summarize({ cpuMs: 60_000 });
  return { passed: report.passed, failed: report.failed, text: lines.join('\n') };
}

const nested = (point: string) => `# Subtest: outer\n    ${point}\n    1..1\n`;

t.test('assertions count, and the tests around them only where they have none', async (t) => {
  t.match(reportOf(`${nested('ok 1 - inner')}ok 1 - outer\nok 2 - alone\n1..2\n`), {
    passed: 2,
    failed: 0,
    text: /ok +2\.0 s \(CPU +0\.5 s\) {2}a\.test\.ts[\s\S]*slowest files:[\s\S]*CPU time: 1\.0 minutes/,
  });
});

t.test('a failure is named with its file and tests, and the comments of its file are printed', async (t) => {
  const tap = `${nested('not ok 1 - inner\n      ---\n      message: it broke\n      ...\n    # the log')}not ok 1 - outer\n1..1\n`;
  t.match(reportOf(tap, 'the process ended with exit code 1'), {
    passed: 0,
    failed: 1,
    text: /FAILED a\.test\.ts > outer > inner\n {4}message: it broke[\s\S]* {4}# the log[\s\S]*\nfailed:\n {2}a\.test/,
  });
});

t.test('a skipped test, an unfinished one, and a file without tests fail', async (t) => {
  t.match(reportOf('ok 1 - a # SKIP no server\nok 2 - b # TODO later\n1..2\n'), { passed: 0, failed: 2 });
  t.match(reportOf('1..0\n'), { passed: 0, failed: 1, text: /no test ran/ });
});

t.test('a file that ends too early fails, whatever passed before', async (t) => {
  t.match(reportOf('ok 1 - a\n1..1\n', 'the process ended with SIGKILL'), { passed: 1, failed: 1, text: /SIGKILL/ });
});
