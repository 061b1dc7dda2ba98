import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Outcome } from '../../lib/loop/outcome.ts';
import { Journal, type JournalEntry } from '../../lib/telemetry/journal.ts';
import { JournalFile } from '../../lib/telemetry/journal-file.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import { Repetitions } from '../../lib/telemetry/repetition.ts';
import { makeRunLog } from '../../lib/telemetry/run-log.ts';
import { exampleReport } from './report.ts';

/* What happens over and over is one entry with a count and its last time. */

const paused: Outcome = { kind: 'applied', summary: 'former master 10.0.0.1:6379: writes paused' };
const away: Outcome = { kind: 'failed', error: new SwitchmasterError('consul-unreachable', 'away') };
const fence = { loop: 'fence', key: 'shard1' };

/** Summaries with their counts, newest first. */
const shown = (journal: Journal) => journal.list({ limit: 100 }).map(({ summary, count }) => `${count} ${summary}`);

t.test('122 renewed pauses in 80 s do not bury a failover', async (t) => {
  let nowMs = Date.parse('2026-01-01T03:00:00.000Z');
  const journal = new Journal({ capacity: 100, now: () => nowMs });
  const streamed: JournalEntry[] = [];
  journal.subscribe((entry) => streamed.push(entry));
  journal.observe(exampleReport({ kind: 'applied', summary: 'moved', details: { cause: 'failover' } }));
  for (let i = 0; i < 122; i += 1) {
    journal.observe(exampleReport(paused, fence));
    nowMs += 656;
  }
  t.strictSame(shown(journal), ['122 former master 10.0.0.1:6379: writes paused', '1 moved']);
  const [entry] = journal.list({ limit: 1 });
  t.match(entry, { firstAt: '2026-01-01T03:00:00.000Z', at: '2026-01-01T03:01:19.376Z' });
  t.strictSame(
    streamed.filter(({ loop }) => loop === 'fence').map(({ count }) => count),
    [1, 2, 4, 8, 16, 32, 64],
  );
  t.equal(new Set(streamed.map(({ firstId }) => firstId)).size, 2);
  t.equal(journal.lastId, entry?.id, 'a reader that reconnects gets the newest state');
});

t.test('each kind of thing that can repeat is counted, and nothing else', async (t) => {
  const repair = (cause: string): Outcome => ({ kind: 'applied', summary: 'put back', details: { cause } });
  const cases: readonly (readonly [loop: string, outcome: Outcome, entries: number])[] = [
    ['bridge', away, 1],
    ['bridge', { kind: 'held', summary: 'no majority' }, 1],
    ['bridge', repair('restored'), 1],
    ['bridge', repair('replicas'), 1],
    ['bridge', repair('repair'), 1],
    ['registrar', { kind: 'applied', summary: 'repaired check a' }, 1],
    ['provisioner', { kind: 'applied', summary: 'SET a' }, 1],
    ['fence', paused, 1],
    ['bridge', repair('failover'), 3],
    ['renderer', { kind: 'applied', summary: 'written' }, 3],
    ['crash', { kind: 'applied', summary: 'ordered a failover' }, 3],
    ['bridge', { kind: 'fenced', summary: 'somebody was first' }, 3],
  ];
  for (const [loop, outcome, entries] of cases) {
    const journal = new Journal({ capacity: 100 });
    for (let i = 0; i < 3; i += 1) {
      journal.observe(exampleReport(outcome, { loop }));
      journal.observe(exampleReport({ kind: 'unchanged' }, { loop }));
      journal.observe(exampleReport(outcome, { loop, key: 'other' }));
    }
    t.equal(journal.list({ limit: 100, key: 'shard1' }).length, entries, `${loop} ${JSON.stringify(outcome)}`);
  }
});

t.test('a change in between, or ten minutes without it, begin a new entry', async (t) => {
  let nowMs = 0;
  const journal = new Journal({ capacity: 100, now: () => nowMs });
  const waiting: Outcome = { kind: 'held', summary: 'waiting' };
  const changed: Outcome = { kind: 'applied', summary: 'changed', details: { cause: 'failover' } };
  for (const outcome of [waiting, waiting, changed, waiting]) journal.observe(exampleReport(outcome));
  nowMs += 600_000;
  journal.observe(exampleReport(waiting));
  t.strictSame(shown(journal), ['1 waiting', '1 waiting', '1 changed', '2 waiting']);
});

t.test('actions on former masters keep their order', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const made: Outcome = { kind: 'applied', summary: 'made a replica' };
  for (const outcome of [paused, paused, made, paused]) journal.observe(exampleReport(outcome, fence));
  t.strictSame(
    shown(journal).map((text) => text.replace('former master 10.0.0.1:6379: ', '')),
    ['1 writes paused', '1 made a replica', '2 writes paused'],
  );
});

t.test('things that alternate are one entry each, in the journal and in the log', async (t) => {
  const refused = (address: string): Outcome => ({ kind: 'held', summary: `cannot fence ${address}` });
  const repaired: Outcome = { kind: 'applied', summary: 'put back', details: { cause: 'repair' } };
  const cases: readonly (readonly Outcome[])[] = [
    [refused('10.0.0.1:6379'), refused('10.0.0.2:6379')],
    [paused, refused('10.0.0.1:6379')],
    [away, { kind: 'held', summary: 'no majority' }],
    [repaired, { kind: 'held', summary: 'a former master still answers' }, { kind: 'unchanged' }],
  ];
  for (const outcomes of cases) {
    const journal = new Journal({ capacity: 100 });
    const logged: string[] = [];
    const shows = () => void logged.push('shown');
    const observe = makeRunLog({ debug: () => {}, info: shows, warn: shows, error: shows } as unknown as Log);
    journal.observe(exampleReport({ kind: 'applied', summary: 'moved', details: { cause: 'failover' } }, fence));
    for (let i = 0; i < 300; i += 1) {
      const report = exampleReport(outcomes[i % outcomes.length] as Outcome, fence);
      journal.observe(report);
      observe(report);
    }
    const kinds = outcomes.filter(({ kind }) => kind !== 'unchanged').length;
    t.equal(shown(journal).length, kinds + 1, JSON.stringify(outcomes));
    t.ok(shown(journal).includes('1 moved'));
    t.ok(logged.length < 120, `${logged.length} lines`);
  }
});

t.test('a measurement in the text makes it no other thing', async (t) => {
  const cases: readonly ((i: number) => string)[] = [
    (i) => `no answer within ${300 + i} ms`,
    (i) => `Consul cannot be read since 2026-01-01T03:00:${10 + (i % 50)}.000Z: it has not answered for ${i}.5 s`,
    (i) => `replica 10.0.0.2:6379 is ${1_000 + i} bytes behind`,
    (i) => `the program (pid ${4_000 + i}) ended with code 1`,
    (i) => `tried ${i + 2} times`,
  ];
  for (const text of cases) {
    const journal = new Journal({ capacity: 100 });
    for (let i = 0; i < 30; i += 1) journal.observe(exampleReport({ kind: 'held', summary: text(i) }));
    t.strictSame(shown(journal), [`30 ${text(29)}`], 'the last text is shown');
  }
  for (const text of ['10.0.0.1:6379 at epoch 7', 'slots 0-100', 'haproxy.cfg:7:12']) {
    const journal = new Journal({ capacity: 100 });
    for (const summary of [text, text.replace('7', '8').replace('100', '101')])
      journal.observe(exampleReport({ kind: 'held', summary }));
    t.equal(shown(journal).length, 2, text);
  }
});

t.test('three things of several masters that take turns are one entry each', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const outcomes: readonly Outcome[] = [
    { kind: 'held', summary: 'only 1 of 3 Sentinels can be asked' },
    { kind: 'failed', error: new SwitchmasterError('redis-timeout', 'no answer within 312 ms') },
    { kind: 'applied', summary: 'put back', details: { cause: 'repair' } },
  ];
  for (let i = 0; i < 300; i += 1)
    for (const key of ['shard1', 'shard2', 'shard3'])
      journal.observe(exampleReport(outcomes[i % 3] as Outcome, { key }));
  t.equal(shown(journal).length, 9);
});

t.test('what never repeats word for word takes no more memory than a few rows', async (t) => {
  const repetitions = new Repetitions();
  const report = (i: number) => exampleReport({ kind: 'held', summary: `epoch ${i} is older` });
  for (let i = 0; i < 100; i += 1) t.equal(repetitions.count(report(i), 0).count, 1);
  t.equal(repetitions.count(report(99), 0).count, 2);
  t.equal(repetitions.count(report(0), 0).count, 1, 'the oldest are forgotten');
});

t.test('a count survives a restart, and a file of an earlier version has none', async (t) => {
  const path = `${t.testdir()}/journal.jsonl`;
  const file = new JournalFile({ path, onProblem: (error) => t.fail(error.message) });
  const first = new Journal({ capacity: 10, keep: (entry) => file.append(entry) });
  for (let i = 0; i < 5; i += 1) first.observe(exampleReport(away));
  first.observe(exampleReport(paused, fence));
  await file.close();
  t.strictSame(shown(new Journal({ capacity: 10, earlier: await file.load() })), [
    '1 former master 10.0.0.1:6379: writes paused',
    '4 away',
  ]);
  const { firstId: _, firstAt: __, count: ___, ...old } = first.list({ limit: 1 })[0] as JournalEntry;
  const [entry] = new Journal({ capacity: 10, earlier: [old as JournalEntry] }).list({ limit: 1 });
  t.match(entry, { count: 1, firstId: old.id, firstAt: old.at });
});

t.test('an entry that memory has dropped comes back with its count', async (t) => {
  const journal = new Journal({ capacity: 10 });
  journal.observe(exampleReport(paused, fence));
  for (let i = 0; i < 30; i += 1) journal.observe(exampleReport({ kind: 'applied', summary: `change ${i}` }));
  journal.observe(exampleReport(paused, fence));
  t.match(shown(journal)[0], /^2 former master/);
});

t.test('the log has what repeats each time that its count has doubled', async (t) => {
  const lines: { level: string; count: unknown }[] = [];
  const to = (level: string) => (fields: Record<string, unknown>) => void lines.push({ level, count: fields.count });
  const log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') } as unknown as Log;
  const observe = makeRunLog(log);
  for (let i = 0; i < 5; i += 1) observe(exampleReport(paused, fence));
  t.strictSame(lines, [
    { level: 'info', count: undefined },
    { level: 'info', count: 2 },
    { level: 'debug', count: 3 },
    { level: 'info', count: 4 },
    { level: 'debug', count: 5 },
  ]);
});

t.test('an outage that begins again after some minutes is logged when it begins', async (t) => {
  let nowMs = 0;
  const warned: number[] = [];
  const log = { debug: () => {}, info: () => {}, warn: () => void warned.push(nowMs), error: () => {} };
  const observe = makeRunLog(log as unknown as Log, () => nowMs);
  for (const startMs of [0, 480_000]) {
    for (let i = 0; i < 20; i += 1) {
      nowMs = startMs + i * 1_000;
      observe(exampleReport(away));
    }
    nowMs += 1_000;
    observe(exampleReport({ kind: 'unchanged' }));
  }
  t.strictSame(warned, [0, 480_000]);
});
