import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ActiveRun } from '../../lib/loop/run.ts';
import { type ConsulQuery, queryId } from '../../lib/model/query.ts';
import { formatRecord } from '../../lib/model/record.ts';
import type { TemplateSpec } from '../../lib/model/template-spec.ts';
import type { RenderHint } from '../../lib/renderer/hint.ts';
import { LiveTemplate } from '../../lib/renderer/observe/live-template.ts';
import { previewTemplate } from '../../lib/renderer/once.ts';
import { Renderer } from '../../lib/renderer/reconciler.ts';
import { makeSkip } from '../template/skipped-time.ts';
import { makeRecord } from '../template/world.ts';
import { Answers, passTurns } from './answers.ts';

/* A render takes turns of the event loop. What changes in them is never lost. */

// Lookups take turns by time. So each reading of the clock takes 6 ms, on machines of any pace.
const skip = makeSkip(t);
const { now } = performance;
performance.now = () => {
  skip(6);
  return now();
};

const manyKeys = 1_500;
const many = `{{#each (loop ${manyKeys})}}{{key (print "k" this)}}{{/each}}`;
const keyId = (key: string) => queryId({ kind: 'key', key } as ConsulQuery);
const entry = (key: string, value: string) => ({ key, value, modifyIndex: 1 });

function makeSpec(t: Test, text: string): TemplateSpec {
  const folder = t.testdir({ 'a.hbs': text });
  return {
    name: 'a',
    source: join(folder, 'a.hbs'),
    destination: join(folder, 'out'),
    vars: {},
    wait: { minMs: 0, maxMs: 0 },
    guard: { maxLoss: 1, onEmpty: 'hold' },
    upkeep: 'kept',
  };
}

/** Reads them, which takes turns, and writes nothing. */
const manyTurns = `{{#each (loop ${manyKeys})}}{{#if (key (print "k" this))}}{{/if}}{{/each}}`;
function answerAll(answers: Answers): void {
  for (let i = 0; i < manyKeys; i++) answers.give(keyId(`k${i}`), entry(`k${i}`, 'v'));
}

/** Half of the keys are answered while the others are still looked up, and these much later. */
function answerSoon(answers: Answers): void {
  const late: string[] = [];
  answers.onFollow = (id) => {
    if (Number(/\d+/.exec(id)) < manyKeys / 2) setImmediate(() => answers.give(id, entry(id, 'v')));
    else late.push(id);
    if (late.length < manyKeys / 2) return;
    void passTurns(5_000).then(() => {
      for (const one of late) answers.give(one, entry(one, 'v'));
    });
  };
}

t.test('the last answer of a pending template renders it, also if others came while it was rendered', async (t) => {
  const answers = new Answers();
  const news: string[] = [];
  const template = new LiveTemplate({
    spec: makeSpec(t, many),
    environment: undefined,
    watches: answers,
    onChange: (query) => news.push(template.noteChange(query)),
  });
  t.teardown(() => template.release());
  t.equal((await template.render()).kind, 'pending');
  // After it was looked up, and before the render ends.
  answers.onRead = (id) => {
    if (id !== keyId('k0')) return;
    answers.onRead = () => undefined;
    setImmediate(() => answers.give(id, entry('k0', 'v')));
  };
  template.forgetSource();
  t.equal((await template.render()).kind, 'pending');
  t.same(news, ['changed'], 'it came while the template was rendered');
  for (let i = 1; i < manyKeys; i++) answers.give(keyId(`k${i}`), entry(`k${i}`, 'v'));
  t.equal(news.at(-1), 'complete');
  t.same(new Set(news.slice(1, -1)), new Set(['incomplete']));
  t.match(await template.render(), { kind: 'rendered', text: 'v'.repeat(manyKeys) });
});

t.test('a change while another source is rendered counts, whatever the former one waited for', async (t) => {
  const answers = new Answers();
  const news: string[] = [];
  let text = '{{key "a"}}';
  const template = new LiveTemplate({
    spec: {
      ...makeSpec(t, ''),
      get contents() {
        return text;
      },
    },
    environment: undefined,
    watches: answers,
    onChange: (query) => news.push(template.noteChange(query)),
  });
  t.teardown(() => template.release());
  t.equal((await template.render()).kind, 'pending');
  text = `{{key "b"}}${manyTurns}`;
  answerAll(answers);
  answers.give(keyId('b'), entry('b', '1'));
  answers.onRead = (id) => {
    if (id !== keyId('b')) return;
    answers.onRead = () => undefined;
    setImmediate(() => answers.give(id, entry('b', '2')));
  };
  template.forgetSource();
  // It may come before the last pass.
  t.match(await template.render(), { kind: 'rendered', text: /^[12]$/ });
  t.same(news, ['changed']);
  t.match(await template.render(), { kind: 'rendered', text: '2' });
});

t.test('a run never writes the master that was replaced while it rendered', async (t) => {
  const answers = new Answers();
  const recordsId = queryId({ kind: 'key-tree', prefix: 'redis/record/' });
  const giveMaster = (host: string) => {
    const record = makeRecord({ master: { host, port: 1 } });
    answers.give(recordsId, [entry('redis/record/shard1', formatRecord(record))]);
  };
  giveMaster('10.0.0.1');
  answers.give(keyId('x'), entry('x', '1'));
  const spec = makeSpec(t, `{{#each redisMasters}}{{host}}{{/each}} {{key "x"}}${manyTurns}`);
  answerAll(answers);
  const signal = new AbortController().signal;
  const hints = [{ source: 'operator', event: 'render', receivedMs: 0 }] as const;
  const start = () => new ActiveRun<RenderHint>({ key: 'a', reconcileId: 'x', hints, signal });
  let run = start();
  const wake = (_: string, hint: object) => {
    if (renderer.isUrgent(hint as RenderHint)) run.interrupt(hint as RenderHint);
  };
  const renderer = new Renderer({ specs: [spec], environment: undefined, watches: answers, wake });
  t.teardown(() => renderer.close());
  t.match(await renderer.reconcile(run), { kind: 'applied' });
  t.equal(readFileSync(spec.destination, 'utf8'), '10.0.0.1 1');
  for (const [before, meanwhile, expected] of [
    ['10.0.0.1', '10.0.0.2', '10.0.0.2 2'],
    // Back to the master that the file has.
    ['10.0.0.3', '10.0.0.2', '10.0.0.2 3'],
  ] as const) {
    answers.give(keyId('x'), entry('x', expected.at(-1) ?? ''));
    giveMaster(before);
    renderer.forgetSources();
    run = start();
    answers.onRead = (id) => {
      if (id !== recordsId) return;
      answers.onRead = () => undefined;
      setImmediate(() => giveMaster(meanwhile));
    };
    t.match(await renderer.reconcile(run), { kind: 'applied' });
    t.equal(readFileSync(spec.destination, 'utf8'), expected);
    t.notOk(run.interrupted.aborted, 'the text has the change');
  }
});

t.test('a preview whose answers come while it renders has its text', async (t) => {
  const answers = new Answers();
  answerSoon(answers);
  const preview = await previewTemplate({
    spec: makeSpec(t, many),
    environment: undefined,
    watches: answers,
    timeoutMs: 10_000,
    signal: new AbortController().signal,
  });
  t.match(preview, { kind: 'rendered', text: 'v'.repeat(manyKeys) });
});

t.test('Consul loses its data while a text is rendered: that text does not prove what is left', async (t) => {
  const answers = new Answers();
  const spec = makeSpec(t, '{{key "k0"}}');
  const template = new LiveTemplate({ spec, environment: undefined, watches: answers, onChange: () => undefined });
  t.teardown(() => template.release());
  answers.index = 70n;
  answers.give(keyId('k0'), entry('k0', 'v'));
  await template.render();
  answers.onRead = () => {
    answers.onRead = () => undefined;
    setImmediate(() => Object.assign(answers, { index: 5n, resets: 1 }));
  };
  t.equal((await template.render()).kind, 'rendered');
  await passTurns(5);
  t.strictSame([...template.seen.versions.values()], [{ index: 70n, resets: 0 }]);
  template.history.prove(template.seen.versions);
  t.equal(template.history.catalog, 'fallen');
});
