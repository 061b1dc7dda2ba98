import { readFileSync } from 'node:fs';
import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { LocalDaemon } from '../../sandbox/local-daemon.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf } from '../support/bridging.ts';
import { makeFolder, putRecord, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'wrong-templates' });
const consul = await sandbox.consul();
await putRecord(consul, { name: 'shard1', master: { host: '192.0.2.1', port: 1 }, replicas: [] });
const quick = { minMs: 1, maxMs: 5 };

const nested = `${'{{#each (loop 450)}}'.repeat(3)}{{join "abc" (loop 999)}}${'{{/each}}'.repeat(3)}`;
const bombs = {
  'nested.conf': nested,
  'lines.conf': `{{file "${sandbox.path('lines')}"}}`,
  'long.conf': `{{#each (loop 40000)}}${'x'.repeat(99)}\n{{/each}}{{printf "%d" "not a number"}}`,
  'regex.conf': `{{regexMatch "^(a|a?)+$" "${'a'.repeat(40)}b"}}${nested}`,
};
sandbox.write('lines', Array.from({ length: 150_000 }, (_, i) => `secret number ${i * 7919}\n`).join(''));
const onceWrong = (text: string) => `{{#if (eq (key "faults/wrong") "yes")}}${text}{{/if}}`;

t.test('templates that do not end, or read and write megabytes, delay nothing', async (t) => {
  const folder = makeFolder(t);
  const wrong = (['nested.conf', 'lines.conf', 'long.conf'] as const).map((name) => ({
    name,
    template: onceWrong(bombs[name]),
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
    // A fast machine reaches the limit of memory first, which knows no place.
    error: {
      code: 'template-failed',
      message: /nested\.conf\.hbs(:1:\d+: .*(larger than|does not end)|: .*needs more than)/,
    },
  });
  // Together they take seconds.
  t.ok(longestMs < 450, `${longestMs} ms`);
  await rendering.stop();
});

// `npm run test:field` has three of each.
const { BOMBS_OF_EACH } = process.env;
const ofEach = Number(BOMBS_OF_EACH ?? 1);
const chosen = Object.entries(bombs).filter(
  ([name]) => BOMBS_OF_EACH !== undefined || name === 'nested.conf' || name === 'regex.conf',
);

t.test('a failover and its file do not wait for several of them', async (t) => {
  const shard = await sandbox.redis({ name: 'live' });
  const sentinel = only(await sandbox.sentinels({ count: 1, masters: [shard] }));
  await consul.putKey('faults/wrong', 'no');
  const good = sandbox.path('masters.conf');
  const templates = chosen.flatMap(([name, text]) =>
    Array.from({ length: ofEach }, (_, n) => ({
      contents: onceWrong(text),
      destination: sandbox.path(`${n}-${name}`),
    })),
  );
  const contents = '{{#with (redisMaster "live")}}{{host}}:{{port}}{{/with}}';
  const daemon = await sandbox.localDaemon({
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: [formatAddress(sentinel.address)], masters: ['live'] },
      templates: [...templates, { contents, destination: good, header: false }],
    },
  });
  const statesOf = async () => {
    const { body } = await daemon.get('/v1/templates');
    return (body as { templates: { name: string; state: string }[] }).templates;
  };
  await waitFor('all templates', statesOf, { until: (all) => all.every(({ state }) => state === 'current') });
  const before = await recordOf(consul, 'live');
  await consul.putKey('faults/wrong', 'yes');
  await waitFor('the first bombs', statesOf, { until: (all) => all.some(({ state }) => state !== 'current') });
  await failOver(sentinel, 'live');
  const { master } = await recordOf(consul, 'live', { until: ({ epoch }) => epoch > before.epoch });
  await waitFor('the file', () => readFileSync(good, 'utf8'), { until: (text) => text === formatAddress(master) });
  const left = (await statesOf()).filter(({ name, state }) => name !== 'masters.conf' && state !== 'invalid');
  t.ok(left.length >= 1, `${left.length} had not ended`);
  const committedMs = await readCommittedMs(daemon);
  // One bomb uses three seconds of processor time.
  t.ok(committedMs < 2_500, `${committedMs} ms`);
  await daemon.stop();
});

/** How long the daemon took from the message of Sentinel until Consul had the record. */
async function readCommittedMs(daemon: LocalDaemon): Promise<number> {
  const { body } = await daemon.get('/v1/history?loop=bridge&key=live&limit=50');
  const { entries } = body as { entries: { details: { cause?: string; stages?: { committedMs: number } } }[] };
  const times = entries.flatMap(({ details }) =>
    details.cause === 'failover' ? (details.stages?.committedMs ?? []) : [],
  );
  return Math.max(...times);
}

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
