import { mkdir, readFile, rm } from 'node:fs/promises';
import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import { entryShape } from '../../lib/http/shapes.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';
import { Journal, type JournalEntry } from '../../lib/telemetry/journal.ts';
import { JournalFile, parseEntry } from '../../lib/telemetry/journal-file.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleReport } from './report.ts';

const long = 'x'.repeat(1024 * 1024);
const big = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, Array(100).fill(long)]));

t.test('an entry is bounded in bytes, whatever is in it', async (t) => {
  const cases: readonly (readonly [string, Outcome])[] = [
    ['a long summary', { kind: 'held', summary: long }],
    ['long details', { kind: 'applied', summary: 'moved', details: { a: big, b: big } }],
    [
      'many long hints, and an error',
      { kind: 'failed', error: new SwitchmasterError('internal', 'x', { details: { a: 1 } }) },
    ],
    ['a long error', { kind: 'failed', error: new SwitchmasterError('internal', long, { details: { big } }) }],
  ];
  const hints = Array.from({ length: 20 }, () => ({ source: long, event: long, receivedMs: 0 }));
  for (const [title, outcome] of cases) {
    const kept: string[] = [];
    const journal = new Journal({ capacity: 10, keep: (entry) => kept.push(JSON.stringify(entry)) });
    journal.observe(exampleReport(outcome, { hints }));
    t.ok((kept[0]?.length ?? Number.POSITIVE_INFINITY) < 100_000, `${title}: ${kept[0]?.length}`);
    const entry = parseEntry(kept[0] ?? '');
    t.ok(entry !== undefined, `${title}: the next start reads it`);
    t.strictSame(entryShape.safeParse(entry).error, undefined, `${title}: the API answers with it`);
  }
});

t.test('the journal is bounded in bytes, keeps what is newest, and says that entries are missing', async (t) => {
  const journal = new Journal({ capacity: 100_000, maxCharacters: 1_000_000 });
  for (let i = 0; i < 200; i += 1)
    journal.observe(exampleReport({ kind: 'applied', summary: `moved ${i}`, details: { big } }));
  const { entries, complete } = journal.since(0);
  t.notOk(complete);
  t.ok(JSON.stringify(entries).length < 1_500_000, `${JSON.stringify(entries).length}`);
  t.equal(entries.at(-1)?.summary, 'moved 199');
  t.ok(journal.since(entries[0]?.id ?? 0).complete);
  const again = new Journal({ capacity: 100_000, maxCharacters: 300_000, earlier: entries });
  t.ok(JSON.stringify(again.since(0).entries).length < 500_000, 'also what an earlier run left');
});

t.test('a file that cannot be written is a problem until it can be, and then has what was missing', async (t) => {
  const folder = t.testdir({ file: 'not a folder' });
  const states: string[] = [];
  const file = new JournalFile({
    path: `${folder}/file/journal`,
    retryMs: 20,
    onProblem: () => states.push('failing'),
    onRecovered: () => states.push('kept'),
  });
  const journal = new Journal({ capacity: 10, keep: (entry) => file.append(entry) });
  for (const summary of ['one', 'two']) journal.observe(exampleReport({ kind: 'applied', summary }));
  await waitFor('the problem', () => states.length, { until: (n) => n > 0 });
  await rm(`${folder}/file`);
  // The journal may have created it since.
  await mkdir(`${folder}/file`, { recursive: true });
  await waitFor('the recovery, without a new entry', () => states.at(-1), { until: (state) => state === 'kept' });
  t.strictSame(states, ['failing', 'kept']);
  const lines = (await readFile(`${folder}/file/journal`, 'utf8')).trim().split('\n');
  t.strictSame(
    lines.map((line) => (JSON.parse(line) as JournalEntry).summary),
    ['one', 'two'],
  );
  await file.close();
});

t.test('a daemon that ends does not wait for a file that cannot be written', async (t) => {
  const folder = t.testdir({ file: 'not a folder' });
  const file = new JournalFile({ path: `${folder}/file/journal`, retryMs: 60_000, onProblem: () => undefined });
  const journal = new Journal({ capacity: 10, keep: (entry) => file.append(entry) });
  journal.observe(exampleReport({ kind: 'applied', summary: 'one' }));
  await file.close();
  t.pass();
});

t.test('a file that cannot be read at the start is a problem, also if nothing happens', async (t) => {
  const folder = t.testdir({ file: 'not a folder' });
  const states: string[] = [];
  const file = new JournalFile({ path: `${folder}/file/journal`, onProblem: () => states.push('failing') });
  await file.load();
  t.strictSame(states, ['failing']);
  await file.close();
});
