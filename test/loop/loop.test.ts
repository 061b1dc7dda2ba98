import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { Hint } from '../../lib/loop/hint.ts';
import { Loop, type LoopOptions } from '../../lib/loop/loop.ts';
import type { Outcome, RunReport } from '../../lib/loop/outcome.ts';
import type { Run } from '../../lib/loop/run.ts';
import { waitFor } from '../sandbox/condition.ts';

const hint = { source: 'test', event: 'wake' };
const urgent = { source: 'test', event: 'alarm', kind: 'alarm', from: 'somewhere' } as const;

type TestHint = (Hint & { readonly kind?: undefined }) | (Hint & { readonly kind: 'alarm'; readonly from: string });

const unchanged: Outcome = { kind: 'unchanged' };

/** A loop whose runs end when the test ends them. */
class Stage extends EventEmitter {
  readonly runs: { readonly run: Run<TestHint>; end(outcome: Outcome): void; fail(error: unknown): void }[] = [];
  readonly reports: RunReport[] = [];
  readonly loop: Loop<TestHint>;

  constructor(t: Test, options: Pick<Partial<LoopOptions>, 'resyncMs' | 'calm'> = {}) {
    super();
    this.loop = new Loop({
      reconciler: {
        name: 'test',
        reconcile: (run) => this.#begin(run),
        isUrgent: ({ kind }) => kind === 'alarm',
      },
      ...options,
      resyncMs: options.resyncMs ?? 60_000,
      backoff: { initialMs: 1, maxMs: 5 },
      onReport: (report) => this.reports.push(report),
    });
    t.teardown(async () => {
      for (const { end } of this.runs) end(unchanged);
      await this.loop.stop({ graceMs: 0 });
    });
  }

  async run(n: number) {
    while (this.runs.length < n) await once(this, 'run');
    const run = this.runs[n - 1];
    if (run === undefined) throw new Error('unreachable');
    return run;
  }

  #begin(run: Run<TestHint>): Promise<Outcome> {
    return new Promise((end, fail) => {
      this.runs.push({ run, end, fail });
      this.emit('run');
    });
  }
}

t.test('a hint starts a run at once', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  t.equal(stage.runs.length, 1);
  t.match(stage.runs[0]?.run, { key: 'a', hints: [hint] });
});

t.test('a key has one run at a time, and one more for all hints that came meanwhile', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  for (let n = 0; n < 5; n += 1) stage.loop.wake('a', hint);
  t.equal(stage.runs.length, 1);
  (await stage.run(1)).end(unchanged);
  const second = await stage.run(2);
  t.equal(second.run.hints.length, 5);
  second.end(unchanged);
  await waitFor('the second report', () => stage.reports.length === 2);
  t.equal(stage.runs.length, 2);
});

t.test('a hint brings its payload to the run that it starts, and reports leave it out', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', urgent);
  const { run, end } = await stage.run(1);
  t.match(run.hints, [urgent]);
  t.notOk(run.interrupted.aborted, 'a hint does not interrupt the run that it starts');
  t.strictSame(run.takeUrgent(), []);
  end(unchanged);
  await waitFor('the report', () => stage.reports.length === 1);
  t.strictSame(Object.keys(stage.reports[0]?.hints[0] ?? {}), ['source', 'event', 'receivedMs']);
});

t.test('an urgent hint interrupts the run of its key, and wakes the next run as well', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  stage.loop.wake('b', hint);
  const [{ run, end }, other] = [await stage.run(1), await stage.run(2)];
  stage.loop.wake('a', hint);
  t.notOk(run.interrupted.aborted, 'an ordinary hint waits for the end of the run');
  stage.loop.wake('a', urgent);
  t.ok(run.interrupted.aborted);
  t.notOk(other.run.interrupted.aborted, 'the run of another key continues');
  t.match(run.takeUrgent(), [urgent]);
  t.notOk(run.interrupted.aborted, 'nothing urgent waits');
  t.strictSame(run.takeUrgent(), []);
  const { interrupted } = run;
  stage.loop.wake('a', urgent);
  t.ok(interrupted.aborted, 'the next urgent hint interrupts again');
  end(unchanged);
  t.match((await stage.run(3)).run.hints, [hint, urgent, urgent]);
});

t.test('keys run side by side', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  stage.loop.wake('b', hint);
  t.equal(stage.runs.length, 2);
  t.not(stage.runs[0]?.run.reconcileId, stage.runs[1]?.run.reconcileId);
});

t.test('a throw is a failure: the loop retries it and counts failures in a row', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  (await stage.run(1)).fail(new Error('boom'));
  (await stage.run(2)).fail(new SwitchmasterError('consul-unreachable', 'gone'));
  (await stage.run(3)).end(unchanged);
  await waitFor('three reports', () => stage.reports.length === 3);
  t.strictSame(
    stage.reports.map(({ failures }) => failures),
    [1, 2, 0],
  );
  t.match(stage.reports[0]?.outcome, { kind: 'failed', error: { code: 'internal', message: 'boom' } });
  t.match(stage.runs[1]?.run.hints, [{ source: 'loop', event: 'retry' }]);
});

t.test('after a failure that is not retryable, the loop waits for a hint', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  (await stage.run(1)).fail(new SwitchmasterError('config-invalid', 'no'));
  await waitFor('the report', () => stage.reports.length === 1);
  t.equal(stage.reports[0]?.nextMs, undefined);
  stage.loop.wake('a', hint);
  t.equal(stage.runs.length, 2);
});

t.test('a fenced run starts again at once the first time, and after growing waits then', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  const fenced: Outcome = { kind: 'fenced', summary: 'another was first' };
  for (const n of [1, 2, 3]) (await stage.run(n)).end(fenced);
  await waitFor('three reports', () => stage.reports.length === 3);
  t.equal(stage.reports[0]?.nextMs, 0);
  t.ok((stage.reports[1]?.nextMs ?? 0) > 0);
});

t.test('a held run starts again when its outcome asks for it, otherwise at the resync', async (t) => {
  const stage = new Stage(t, { resyncMs: 20 });
  stage.loop.wake('a', hint);
  (await stage.run(1)).end({ kind: 'held', summary: 'wait', retryAfterMs: 1 });
  (await stage.run(2)).end({ kind: 'held', summary: 'wait' });
  await stage.run(3);
  t.equal(stage.reports[0]?.nextMs, 1);
  const nextMs = stage.reports[1]?.nextMs ?? 0;
  t.ok(nextMs >= 20 && nextMs <= 22, 'at most a tenth more');
});

t.test('the loop forgets a retired key when its run ends', async (t) => {
  const stage = new Stage(t, { resyncMs: 1 });
  stage.loop.wake('a', hint);
  stage.loop.retire('a');
  (await stage.run(1)).end(unchanged);
  await waitFor('it to be forgotten', () => stage.loop.keys.length === 0);
  t.equal(stage.runs.length, 1);
});

t.test('stopping lets a run finish, aborts it when its grace period is over, and starts no run', async (t) => {
  const stage = new Stage(t);
  stage.loop.wake('a', hint);
  const first = await stage.run(1);
  const stopped = stage.loop.stop({ graceMs: 1 });
  stage.loop.wake('a', hint);
  stage.loop.wake('b', hint);
  await waitFor('the abort', () => first.run.signal.aborted);
  first.fail(first.run.signal.reason);
  await stopped;
  t.equal(stage.runs.length, 1);
  t.match(stage.reports[0]?.outcome, { kind: 'failed', error: { code: 'stopping' } });
});

t.test('an observer that throws does not stop the loop', async (t) => {
  let runs = 0;
  const loop = new Loop({
    reconciler: { name: 'test', reconcile: async () => ({ kind: 'held', summary: '', retryAfterMs: runs++ }) },
    resyncMs: 60_000,
    onReport: () => {
      throw new Error('boom');
    },
  });
  t.teardown(() => loop.stop({ graceMs: 0 }));
  loop.wake('a', hint);
  await waitFor('a third run', () => runs > 2);
  t.pass('it continued');
});

t.test('of many keys, one that only timers woke runs less often, until a hint comes', async (t) => {
  const stage = new Stage(t, { resyncMs: 20, calm: { keys: 1, mostTimes: 3, mostMs: 1_000, isCalm: () => true } });
  for (const key of ['b', 'c', 'd']) stage.loop.wake(key, hint);
  (await stage.run(1)).end({ kind: 'held', summary: 'it waits for the test', retryAfterMs: 60_000 });
  (await stage.run(2)).end({ kind: 'held', summary: 'it waits for the test', retryAfterMs: 60_000 });
  (await stage.run(3)).end({ kind: 'held', summary: 'it waits for the test', retryAfterMs: 60_000 });
  stage.loop.wake('a', hint);
  for (const n of [4, 5]) (await stage.run(n)).end(unchanged);
  await stage.run(6);
  const waits = () =>
    stage.reports.filter(({ key }) => key === 'a').map(({ nextMs }) => Math.floor((nextMs ?? 0) / 20));
  t.strictSame(waits(), [1, 3]);
  stage.loop.wake('a', hint);
  (await stage.run(6)).end(unchanged);
  (await stage.run(7)).end(unchanged);
  await waitFor('its report', waits, { until: ({ length }) => length === 4 });
  t.strictSame(waits().slice(2), [3, 1], 'a hint during a run is one of the next');
});

for (const [why, isCalm] of [
  ['is not calm', () => false],
  [
    'is not known to be calm',
    () => {
      throw new Error('boom');
    },
  ],
] as const) {
  t.test(`of many keys, one that ${why} runs as often as the config says`, async (t) => {
    const stage = new Stage(t, { resyncMs: 20, calm: { keys: 1, mostTimes: 3, mostMs: 1_000, isCalm } });
    for (const [i, key] of ['b', 'c', 'd'].entries()) {
      stage.loop.wake(key, hint);
      (await stage.run(i + 1)).end({ kind: 'held', summary: 'it waits for the test', retryAfterMs: 60_000 });
    }
    stage.loop.wake('a', hint);
    for (const n of [4, 5, 6, 7]) (await stage.run(n)).end(unchanged);
    await stage.run(8);
    const waits = stage.reports.filter(({ key }) => key === 'a').map(({ nextMs }) => Math.floor((nextMs ?? 0) / 20));
    t.strictSame(waits, [1, 1, 1, 1]);
  });
}
