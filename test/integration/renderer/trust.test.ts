import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { publish, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'trust' });

/** A Consul with two masters as bridges write them, and a renderer on a node without a bridge. */
async function setUp(t: Test, name: string, { otherKeys = 0 }: { readonly otherKeys?: number } = {}) {
  const consul = await sandbox.consul({ name });
  for (let i = 0; i < otherKeys; i += 1) await consul.putKey('other', String(i));
  for (const shard of ['a', 'b']) await publish(consul, { name: shard });
  const template = '{{#each redisMasters}}{{name}} {{address}}\n{{/each}}';
  const spec = { template, wait: { minMs: 1, maxMs: 5 } };
  const rendering = startRendering(t, { consul, specs: [spec], resyncMs: 60_000 });
  const { destination } = await rendering.until('current');
  const text = () => readFileSync(destination, 'utf8');
  return {
    consul,
    rendering,
    spec,
    text,
    reads: (wanted: string) => waitFor(`the file to read ${wanted}`, text, { until: (now) => now === wanted }),
    untilHeld: (summary: RegExp) =>
      waitFor('a report of the hold', () => rendering.state().lastOutcome, {
        until: (outcome) => outcome?.kind === 'held' && summary.test(outcome.summary),
      }),
    /** Every text that the file has had, by the reports of its runs. */
    writes: () => rendering.reports.filter(({ outcome }) => outcome.kind === 'applied').length,
    fail: (shard: string, epoch: number) =>
      publish(consul, { name: shard, epoch, master: { host: '10.0.0.7', port: epoch } }),
  };
}

const both = 'a 10.0.0.1:6379\nb 10.0.0.1:6379\n';

t.test('a deleted record leaves its shard in the file, until all traces of the master are removed', async (t) => {
  const { consul, text, reads, untilHeld, writes, fail } = await setUp(t, 'deleted');
  await consul.delete('/v1/kv/redis/record/a');
  await untilHeld(/master a stays 10\.0\.0\.1:6379 \(its record was deleted/);
  t.equal(text(), both);
  t.equal(writes(), 1);
  await fail('b', 9);
  await reads('a 10.0.0.1:6379\nb 10.0.0.7:9\n');
  await publish(consul, { name: 'a' });
  await consul.delete('/v1/kv/redis/record/a');
  await consul.delete('/v1/kv/redis/master/a?recurse');
  await untilHeld(/master a stays/);
  await consul.put('/v1/catalog/deregister', { Node: 'redis-a' });
  await reads('b 10.0.0.7:9\n');
});

t.test('a deleted tree changes nothing, and neither does the first record that returns', async (t) => {
  const { consul, text, untilHeld, writes } = await setUp(t, 'tree');
  await consul.delete('/v1/kv/redis/?recurse');
  await untilHeld(/master a stays .*; master b stays/);
  await publish(consul, { name: 'b' });
  await untilHeld(/: master a stays [^;]*$/);
  t.equal(text(), both);
  t.equal(writes(), 1);
});

t.test('a Consul that lost its data changes nothing, and neither does the first record that returns', async (t) => {
  // An agent without data starts with a lower index than the one that the renderer has read.
  const { consul, text, untilHeld, writes } = await setUp(t, 'lost', { otherKeys: 60 });
  await consul.kill();
  await consul.start();
  await publish(consul, { name: 'b' });
  await untilHeld(/: master a stays 10\.0\.0\.1:6379 \(Consul lost its data[^;]*$/);
  t.equal(text(), both);
  t.equal(writes(), 1);
});

t.test('a daemon that starts again still holds a deleted record, and forgets a master that was removed', async (t) => {
  const { consul, rendering, spec, text } = await setUp(t, 'restarted');
  await rendering.stop();
  await consul.delete('/v1/kv/redis/record/a');
  const second = startRendering(t, { consul, folder: rendering.folder, specs: [spec], resyncMs: 60_000 });
  await waitFor('a report of the hold', () => second.state().lastOutcome, {
    until: (outcome) => outcome?.kind === 'held' && /master a stays/.test(outcome.summary),
  });
  t.equal(text(), both);
  await second.stop();
  await consul.delete('/v1/kv/redis/master/a?recurse');
  await consul.put('/v1/catalog/deregister', { Node: 'redis-a' });
  startRendering(t, { consul, folder: rendering.folder, specs: [spec], resyncMs: 60_000 });
  await waitFor('the master to leave the file', text, { until: (now) => now === 'b 10.0.0.1:6379\n' });
});

t.test(
  'a daemon that starts again holds what Consul lost meanwhile, although its index has passed the former one',
  async (t) => {
    const { consul, rendering, spec, text } = await setUp(t, 'refilled');
    const indexOf = async (key: string) =>
      (await consul.get<{ readonly ModifyIndex: number }[]>(`/v1/kv/${key}`))?.[0]?.ModifyIndex ?? 0;
    const formerIndex = await indexOf('redis/record/b');
    await rendering.stop();
    await consul.kill();
    await consul.start();
    for (let i = 0; (await indexOf('other')) <= formerIndex; i += 1) await consul.putKey('other', String(i));
    await publish(consul, { name: 'b' });
    const second = startRendering(t, { consul, folder: rendering.folder, specs: [spec], resyncMs: 60_000 });
    await waitFor('a report of the hold', () => second.state().lastOutcome, {
      until: (outcome) => outcome?.kind === 'held' && /master a stays .*Consul lost its data/.test(outcome.summary),
    });
    t.equal(text(), both);
  },
);

t.test('a record edited by hand is not followed, and a later change of master is', async (t) => {
  const { consul, text, reads, untilHeld, writes, fail } = await setUp(t, 'edited');
  await putRecord(consul, { name: 'a', epoch: 99, master: { host: '10.9.9.9', port: 1 } });
  await untilHeld(
    /master a stays 10\.0\.0\.1:6379 \(its record names an address that the plain key or the service contradicts: 10\.9\.9\.9:1\)/,
  );
  await consul.putKey('redis/master/a', '10.9.9.9:1');
  await consul.putKey('redis/record/b', 'rubbish');
  await untilHeld(/master b stays 10\.0\.0\.1:6379 \(its record cannot be read\)/);
  t.equal(text(), both);
  t.equal(writes(), 1);
  await fail('b', 9);
  await reads('a 10.0.0.1:6379\nb 10.0.0.7:9\n');
  await fail('a', 100);
  await reads('a 10.0.0.7:100\nb 10.0.0.7:9\n');
});

t.test('an older state of Consul is not followed although it agrees with itself', async (t) => {
  const { text, reads, untilHeld, fail } = await setUp(t, 'replayed');
  await fail('a', 9);
  await reads('a 10.0.0.7:9\nb 10.0.0.1:6379\n');
  // As of a Consul that starts and answers before it has read all of its log.
  await fail('a', 8);
  await untilHeld(/master a stays 10\.0\.0\.7:9 \(its record is not newer.*: 10\.0\.0\.7:8\)/);
  t.equal(text(), 'a 10.0.0.7:9\nb 10.0.0.1:6379\n');
  await fail('a', 10);
  await reads('a 10.0.0.7:10\nb 10.0.0.1:6379\n');
});

t.test('a change of master by a bridge is followed without a report of a hold', async (t) => {
  const { reads, rendering, fail } = await setUp(t, 'changed');
  for (let epoch = 5; epoch < 15; epoch += 1) {
    const startMs = performance.now();
    await fail('a', epoch);
    await reads(`a 10.0.0.7:${epoch}\nb 10.0.0.1:6379\n`);
    t.comment(`followed after ${Math.round(performance.now() - startMs)} ms`);
  }
  t.same(
    rendering.reports.filter(({ outcome }) => /stays/.test(JSON.stringify(outcome))),
    [],
  );
});
