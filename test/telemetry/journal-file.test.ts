import { spawnSync } from 'node:child_process';
import { readFile, rm, symlink } from 'node:fs/promises';
import t from 'tap';
import type { SwitchmasterError } from '../../lib/errors.ts';
import { Journal, type JournalEntry } from '../../lib/telemetry/journal.ts';
import { JournalFile, type JournalFileOptions } from '../../lib/telemetry/journal-file.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleReport } from './report.ts';

/** A journal with its file, and what the file reports. */
function openJournal(path: string, options: Partial<JournalFileOptions> = {}) {
  const problems: SwitchmasterError[] = [];
  let recovered = 0;
  const file = new JournalFile({
    path,
    retryMs: 10,
    onProblem: (error) => problems.push(error),
    onRecovered: () => {
      recovered += 1;
    },
    ...options,
  });
  const journal = new Journal({ capacity: 1_000, keep: (entry) => file.append(entry) });
  const note = (summary: string) => journal.observe(exampleReport({ kind: 'applied', summary }));
  return { file, note, problems, recovered: () => recovered };
}

async function summariesIn(path: string): Promise<readonly string[]> {
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as JournalEntry).summary);
}

t.test('a rotation that fails is reported, and writes no line again', async (t) => {
  const path = `${t.testdir({ 'journal.1': { file: '' } })}/journal`;
  const { file, note, problems, recovered } = openJournal(path, { maxBytes: 100 });
  for (const summary of ['a', 'b', 'c']) {
    note(summary);
    await file.close();
  }
  t.strictSame(await summariesIn(path), ['a', 'b', 'c']);
  t.equal(problems.length, 1);
  t.match(problems[0], { code: 'file-unwritable', message: /cannot rename the journal/ });
  await rm(`${path}.1`, { recursive: true });
  note('d');
  await file.close();
  t.equal(recovered(), 1);
  t.strictSame(await summariesIn(`${path}.1`), ['a', 'b', 'c', 'd']);
});

/** Writes to a disk that is full for a while: a write beyond the limit of the size of files takes what fits, and fails. */
const fullDisk = `
  import { spawnSync } from 'node:child_process';
  import { readFile } from 'node:fs/promises';
  import { setTimeout as delay } from 'node:timers/promises';
  import { JournalFile } from '${import.meta.resolve('../../lib/telemetry/journal-file.ts')}';
  process.on('SIGXFSZ', () => {});
  const limit = (bytes) => spawnSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':']);
  const [path] = process.argv.slice(1);
  let state = 'new';
  const file = new JournalFile({
    path,
    retryMs: 200,
    onProblem: () => (state = 'failing'),
    onRecovered: () => (state = 'recovered'),
  });
  const until = async (wanted) => {
    while (state !== wanted) await delay(5);
  };
  file.append({ summary: 'first' });
  await file.close();
  limit('50');
  for (const summary of ['a', 'b', 'c', 'd']) file.append({ summary: summary.repeat(50) });
  await until('failing');
  const meanwhile = await readFile(path, 'utf8');
  limit('unlimited');
  await until('recovered');
  await file.close();
  process.stdout.write(JSON.stringify({ meanwhile, afterwards: await readFile(path, 'utf8') }));`;

t.test('a disk that takes a part of a write has each line once in the end', async (t) => {
  const path = `${t.testdir()}/journal`;
  const argv = ['--input-type=module', '-e', fullDisk, path];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
  t.equal(stderr, '');
  const { meanwhile, afterwards } = JSON.parse(stdout);
  const line = (summary: string) => `${JSON.stringify({ summary })}\n`;
  t.equal(meanwhile, line('first'), 'no part is left');
  t.equal(afterwards, ['first', ...['a', 'b', 'c', 'd'].map((one) => one.repeat(50))].map(line).join(''));
});

t.test('a write that returns late, and was done, is not repeated', async (t) => {
  const folder = t.testdir();
  const path = `${folder}/a/b/journal`;
  const { file, note, problems, recovered } = openJournal(path, { timeoutMs: 1 });
  const noted: string[] = [];
  await waitFor('a late write', () => {
    noted.push(`${noted.length} ${'x'.repeat(3_000)}`);
    note(noted.at(-1) ?? '');
    return problems.length;
  });
  const written = () => summariesIn(path).catch(() => []);
  await waitFor('every line', written, { until: (lines) => lines.length >= noted.length });
  await waitFor('the recovery', recovered);
  await file.close();
  t.strictSame(await summariesIn(path), noted);
});

/** Writes to a folder over which a mount hangs for a while. The kernel waits for a FUSE server, which this program never is. */
const hangingMount = `
  import { spawnSync } from 'node:child_process';
  import { closeSync, openSync } from 'node:fs';
  import { readFile } from 'node:fs/promises';
  import { setTimeout as delay } from 'node:timers/promises';
  import { JournalFile } from '${import.meta.resolve('../../lib/telemetry/journal-file.ts')}';
  const [folder] = process.argv.slice(1);
  let state = 'new';
  const file = new JournalFile({
    path: folder + '/journal',
    timeoutMs: 100,
    retryMs: 1,
    onProblem: () => (state = 'failing'),
    onRecovered: () => (state = 'recovered'),
  });
  const until = async (wanted) => {
    while (state !== wanted) await delay(5);
  };
  const server = openSync('/dev/fuse', 'r+');
  const mount = ['-i', '-t', 'fuse', '-o', 'fd=3,rootmode=40000,user_id=0,group_id=0', 'hang', folder];
  file.append({ summary: 'first' });
  await file.close();
  if (spawnSync('mount', mount, { stdio: ['ignore', 'ignore', 'ignore', server] }).status !== 0) process.exit(77);
  file.append({ summary: 'second' });
  await until('failing');
  // The next try finds nothing to write.
  await delay(50);
  spawnSync('umount', ['-l', folder]);
  closeSync(server);
  await until('recovered');
  await file.close();
  process.stdout.write(await readFile(folder + '/journal', 'utf8'));`;

t.test('what a write that hangs has not written in the end is written without a new entry', (t) => {
  const argv = ['-m', process.execPath, '--input-type=module', '-e', hangingMount, t.testdir()];
  const run = spawnSync('unshare', argv, { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' });
  const lines = ['first', 'second'].map((summary) => `${JSON.stringify({ summary })}\n`);
  if (run.status === 77 || run.status === 1) t.pass('no mounts are permitted here');
  else t.equal(run.stdout, lines.join(''), run.stderr);
  t.end();
});

t.test('a failure of another kind is reported too', async (t) => {
  const folder = t.testdir({ file: '', 'journal.1': { file: '' } });
  const path = `${folder}/journal`;
  await symlink(`${folder}/file/journal`, path);
  const { file, note, problems } = openJournal(path, { maxBytes: 1, retryMs: 60_000 });
  note('a');
  await file.close();
  await rm(path);
  for (const summary of ['b', 'c']) {
    note(summary);
    await file.close();
  }
  t.strictSame(
    problems.map(({ message }) => message.split(' ').slice(0, 2).join(' ')),
    ['cannot write', 'cannot rename'],
  );
  t.strictSame(await summariesIn(path), ['a', 'b', 'c']);
});
