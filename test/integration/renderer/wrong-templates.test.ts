import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'wrong-templates' });
const consul = await sandbox.consul();
await putRecord(consul, { name: 'shard1', master: { host: '192.0.2.1', port: 1 }, replicas: [] });
const quick = { minMs: 1, maxMs: 5 };

t.test('templates that do not end, or read and write megabytes, delay nothing', async (t) => {
  const folder = makeFolder(t);
  const nested = `${'{{#each (loop 450)}}'.repeat(3)}{{join "abc" (loop 999)}}${'{{/each}}'.repeat(3)}`;
  const lines = join(folder, 'lines');
  writeFileSync(lines, Array.from({ length: 150_000 }, (_, i) => `secret number ${i * 7919}\n`).join(''));
  const bombs = {
    'nested.conf': nested,
    'lines.conf': `{{file "${lines}"}}`,
    'long.conf': `{{#each (loop 40000)}}${'x'.repeat(99)}\n{{/each}}{{printf "%d" "not a number"}}`,
  };
  const wrong = Object.entries(bombs).map(([name, text]) => ({
    name,
    template: `{{#if (eq (key "faults/wrong") "yes")}}${text}{{/if}}`,
    wait: quick,
  }));
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [
      { name: 'good.conf', template: '{{#each redisMasters}}{{host}}:{{port}}\n{{/each}}', wait: quick },
      ...wrong,
    ],
    resyncMs: 60_000,
  });
  await consul.putKey('faults/wrong', 'no');
  for (const { name } of wrong) await rendering.until('current', name);
  const { destination } = await rendering.until('current', 'good.conf');
  const turns = watchTurns();
  await consul.putKey('faults/wrong', 'yes');
  await putRecord(consul, { name: 'shard1', master: { host: '192.0.2.7', port: 1 }, replicas: [], epoch: 5 });
  await waitFor('the good one', () => readFileSync(destination, 'utf8'), { until: (text) => text === '192.0.2.7:1\n' });
  t.not(rendering.state('nested.conf').state, 'invalid', 'the good one waited for no other');
  const invalid = { until: ({ state }: { readonly state: string }) => state === 'invalid', timeoutMs: 120_000 };
  for (const { name } of wrong) await waitFor(name, () => rendering.state(name), invalid);
  const longestMs = turns.end();
  t.match(rendering.state('nested.conf').lastOutcome, {
    error: { code: 'template-failed', message: /nested\.conf\.hbs:1:\d+: .*(larger than|does not end)/ },
  });
  // Together they take seconds.
  t.ok(longestMs < 450, `${longestMs} ms`);
  await rendering.stop();
});

/** The most processor time of this thread in one turn of the event loop, in milliseconds: no other process counts. */
function watchTurns(): { end(): number } {
  let longestMs = 0;
  let before = process.threadCpuUsage();
  const timer = setInterval(() => {
    const { user, system } = process.threadCpuUsage(before);
    before = process.threadCpuUsage();
    longestMs = Math.max(longestMs, (user + system) / 1_000);
  }, 1);
  return {
    end() {
      clearInterval(timer);
      return longestMs;
    },
  };
}
