import { chmod, readFile, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';
import { capped } from '../../lib/telemetry/capped.ts';
import { Journal, type JournalEntry, type KeptEntry } from '../../lib/telemetry/journal.ts';
import { JournalFile } from '../../lib/telemetry/journal-file.ts';
import { exampleReport } from './report.ts';

const applied = (summary: string): Outcome => ({ kind: 'applied', summary, details: { epoch: 7 } });
const failed = (message: string): Outcome => ({
  kind: 'failed',
  error: new SwitchmasterError('consul-unreachable', message),
});

t.test('an entry holds the outcome with its cause', (t) => {
  const journal = new Journal({ capacity: 10, now: () => 1_700_000_000_000 });
  journal.observe(exampleReport(applied('shard1 moved')));
  t.strictSame(journal.list({ limit: 10 }), [
    {
      id: 1_700_000_000_000_001,
      firstId: 1_700_000_000_000_001,
      at: '2023-11-14T22:13:20.000Z',
      firstAt: '2023-11-14T22:13:20.000Z',
      count: 1,
      loop: 'bridge',
      key: 'shard1',
      reconcileId: 'abcd1234',
      kind: 'applied',
      summary: 'shard1 moved',
      hints: [{ source: 'sentinel 127.0.0.1:1', event: '+switch-master', agoMs: 5 }],
      details: { epoch: 7 },
      error: null,
      durationMs: 4,
      failures: 0,
    },
  ]);
  t.end();
});

t.test('an outcome that changed nothing is not listed, and a repeated one is listed once', (t) => {
  const journal = new Journal({ capacity: 10 });
  const outcomes: readonly Outcome[] = [
    { kind: 'unchanged' },
    failed('away'),
    failed('away'),
    failed('away'),
    { kind: 'held', summary: 'no majority' },
    { kind: 'held', summary: 'no majority' },
    { kind: 'held', summary: 'is superseded', retryAfterMs: 0 },
    { kind: 'unchanged' },
    failed('away'),
  ];
  for (const outcome of outcomes) journal.observe(exampleReport(outcome));
  t.strictSame(
    journal.list({ limit: 10 }).map(({ summary }) => summary),
    ['away', 'no majority'],
  );
  t.end();
});

t.test('memory is bounded, and a reader learns that entries are missing', (t) => {
  const journal = new Journal({ capacity: 100, now: () => 0 });
  for (let i = 1; i <= 1_000; i += 1) journal.observe(exampleReport(applied(`change ${i}`)));
  const { entries, complete } = journal.since(0);
  t.ok(entries.length >= 100 && entries.length <= 110);
  t.equal(entries.at(-1)?.summary, 'change 1000');
  t.equal(complete, false);
  const last = journal.since(995);
  t.strictSame([last.entries.length, last.complete], [5, true]);
  t.strictSame(journal.since(journal.lastId), { entries: [], complete: true });
  t.strictSame(
    journal.since(990, 2).entries.map(({ id }) => id),
    [991, 992],
  );
  t.end();
});

t.test('a list is newest first and takes one key or one loop', (t) => {
  const journal = new Journal({ capacity: 10 });
  journal.observe(exampleReport(applied('a')));
  journal.observe(exampleReport(applied('b'), { key: 'shard2' }));
  journal.observe(exampleReport(applied('c'), { loop: 'renderer', key: 'shard2' }));
  const summaries = (filter: object) => journal.list({ limit: 10, ...filter }).map(({ summary }) => summary);
  t.strictSame(summaries({}), ['c', 'b', 'a']);
  t.strictSame(summaries({ key: 'shard2' }), ['c', 'b']);
  t.strictSame(summaries({ key: 'shard2', loop: 'bridge' }), ['b']);
  t.strictSame(summaries({ limit: 1 }), ['c']);
  t.end();
});

t.test('subscribers get each entry until they leave', (t) => {
  const journal = new Journal({ capacity: 10 });
  const heard: string[] = [];
  const leave = journal.subscribe(({ summary }) => heard.push(summary));
  journal.observe(exampleReport(applied('a')));
  leave();
  journal.observe(exampleReport(applied('b')));
  t.strictSame(heard, ['a']);
  t.end();
});

t.test('a file carries the journal across restarts, and ids rise although the clock was set back', async (t) => {
  const path = `${t.testdir()}/deep/journal.jsonl`;
  const onProblem = (error: Error) => t.fail(error.message);
  const file = new JournalFile({ path, onProblem });
  t.strictSame(await file.load(), []);
  const first = new Journal({ capacity: 10, now: () => 5_000 });
  first.subscribe((entry) => file.append(entry));
  for (let i = 0; i < 50; i += 1) first.observe(exampleReport(applied(`change ${i}`)));
  await file.close();
  const earlier = await new JournalFile({ path, onProblem }).load();
  t.equal(earlier.length, 50);
  const second = new Journal({ capacity: 10, earlier, now: () => 1_000 });
  t.notOk(second.since(0).complete, 'it says that the file has more');
  t.ok(new Journal({ capacity: 50, earlier }).since(0).complete);
  second.observe(exampleReport(applied('after')));
  const [newest, before] = second.list({ limit: 2 }) as [JournalEntry, JournalEntry];
  t.equal(newest.summary, 'after');
  t.equal(before.summary, 'change 49');
  t.ok(newest.id > before.id);
});

t.test('only the line that a crash cut short is lost', async (t) => {
  const path = `${t.testdir()}/journal.jsonl`;
  const onProblem = (error: Error) => t.fail(error.message);
  const journal = new Journal({ capacity: 10 });
  const file = new JournalFile({ path, onProblem });
  journal.subscribe((entry) => file.append(entry));
  journal.observe(exampleReport(applied('whole')));
  await file.close();
  await writeFile(path, `${await readFile(path, 'utf8')}{"id":1,"at":"20`);
  journal.observe(exampleReport(applied('next')));
  await file.close();
  t.strictSame(
    (await file.load()).map(({ summary }) => summary),
    ['whole', 'next'],
  );
});

t.test('a file that has grown is rotated, and both parts are read', async (t) => {
  const path = `${t.testdir()}/journal.jsonl`;
  const file = new JournalFile({ path, maxBytes: 1_000, onProblem: (error) => t.fail(error.message) });
  const journal = new Journal({ capacity: 100 });
  journal.subscribe((entry) => file.append(entry));
  for (let i = 0; i < 20; i += 1) {
    journal.observe(exampleReport(applied(`change ${i}`)));
    await file.close();
  }
  const summaries = (await file.load()).map(({ summary }) => summary);
  t.equal(summaries.at(-1), 'change 19');
  t.ok(summaries.length >= 2 && summaries.length < 10);
});

t.test('a disk that refuses is reported once, and the daemon continues', async (t) => {
  const folder = t.testdir({ file: '' });
  const problems: SwitchmasterError[] = [];
  const file = new JournalFile({ path: `${folder}/file/journal`, onProblem: (error) => problems.push(error) });
  const journal = new Journal({ capacity: 10 });
  journal.subscribe((entry) => file.append(entry));
  for (const summary of ['a', 'b', 'c']) {
    journal.observe(exampleReport(applied(summary)));
    await file.close();
  }
  t.equal(problems.length, 1);
  t.match(problems[0], { code: 'file-unwritable', message: /cannot write the journal/ });
  t.equal(journal.list({ limit: 10 }).length, 3);
});

t.test('a file that anybody may have edited is read as far as it can be', async (t) => {
  const folder = t.testdir({ journal: 'nonsense\n{"id":1}\n[]\nnull\n{"id":"x"}\n\u0000\n' });
  await chmod(`${folder}/journal`, 0o600);
  const file = new JournalFile({ path: `${folder}/journal`, onProblem: (error) => t.fail(error.message) });
  t.strictSame(await file.load(), []);
});

t.test('whatever a reconciler puts into its details becomes plain data of bounded size', (t) => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }), (value) => {
      const result = capped(value);
      return JSON.stringify(result) !== undefined;
    }),
  );
  const deep: Record<string, unknown> = {};
  deep.self = deep;
  t.ok(JSON.stringify(capped(deep)).length < 200);
  t.match(capped('x'.repeat(10_000)), /\.\.\. \(10000 characters\)$/);
  t.equal((capped(Array(500).fill(1)) as unknown[]).length, 101);
  t.end();
});

t.test('the input of a decision is kept whole, or marked as cut', (t) => {
  const kept: KeptEntry[] = [];
  const journal = new Journal({ capacity: 10, keep: (entry) => kept.push(entry) });
  const observe = (views: number) => {
    const situation = {
      views: Array.from({ length: views }, (_, i) => ({ a: { b: { c: { d: { e: { f: i } } } } } })),
      index: 7n,
    };
    journal.observe(
      exampleReport({ kind: 'applied', summary: `${views}`, replay: { situation, decision: { kind: 'stands' } } }),
    );
  };
  observe(500);
  observe(50_000);
  const [whole, cut] = kept.map(({ replay }) => replay);
  t.match(whole, { decision: { kind: 'stands' }, situation: { index: '7' } });
  const { views } = (whole as { situation: { views: unknown[] } }).situation;
  t.equal(views.length, 500);
  t.strictSame(views.at(-1), { a: { b: { c: { d: { e: { f: 499 } } } } } });
  t.match(cut, { cut: /^it takes \d+ characters, more than are kept$/ });
  t.notMatch(journal.list({ limit: 2 }), [{ replay: {} }], 'memory holds neither');
  t.end();
});
