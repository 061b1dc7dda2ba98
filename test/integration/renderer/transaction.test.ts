import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { VerifySpec } from '../../../lib/model/template-spec.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, sh, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'transaction' });
const consul = await sandbox.consul();

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);
const quick = { minMs: 1, maxMs: 5 };

const deadlineMs = 1_500;

/** A consumer that is a folder: reloading copies the file into it, and it works while that does not say "bad". */
function makeConsumer(t: Test) {
  const folder = makeFolder(t);
  const running = join(folder, 'running');
  const log = join(folder, 'log');
  const probe = { kind: 'command', command: { argv: sh(`! grep -q bad ${running}`) } } as const;
  const verify: VerifySpec = { probes: [probe], deadlineMs };
  const reload = command(...sh(`echo r >> ${log}; cp "$1" ${running}`), 'sh', '{{file}}');
  return { verify, reload, running: () => read(running), reloads: () => (read(log) ?? '').length / 2, folder };
}

t.test(
  'a file that its consumer does not work with is rolled back, and not tried again until the input changes',
  async (t) => {
    const consumer = makeConsumer(t);
    await consul.putKey('a', 'good');
    const specs = [{ template: 'is {{key "a"}}\n', wait: quick, reload: consumer.reload, verify: consumer.verify }];
    const rendering = startRendering(t, { consul, specs, resyncMs: 100 });
    const { destination } = await rendering.until('current');
    t.equal(consumer.running(), 'is good\n');
    await consul.putKey('a', 'bad');
    await rendering.until('refused');
    t.equal(read(destination), 'is good\n');
    t.equal(consumer.running(), 'is good\n');
    const failure = rendering.reports.find(({ outcome }) => outcome.kind === 'failed')?.outcome;
    t.match(failure, {
      error: {
        code: 'verify-failed',
        message: /did not work within 1500 ms.*The last good file is in place again and works/s,
      },
    });
    const reloads = consumer.reloads();
    const runs = rendering.reports.length;
    await waitFor('some more runs', () => rendering.reports.length > runs + 3);
    t.equal(consumer.reloads(), reloads);
    t.match(rendering.state().lastOutcome, { kind: 'held', summary: /was rolled back and waits for another input/ });
    rendering.part.renderer.retry('a.conf');
    await waitFor('another attempt', () => consumer.reloads() > reloads);
    await rendering.until('refused');
    await consul.putKey('a', 'better');
    await waitFor('the file to follow', () => consumer.running(), { until: (text) => text === 'is better\n' });
    await rendering.until('current');
  },
);

t.test('a backup has the content before the last change that worked', async (t) => {
  const { reload, verify } = makeConsumer(t);
  await consul.putKey('kept', 'first');
  const specs = [{ template: '{{key "kept"}}\n', wait: quick, reload, verify, backup: 'kept' } as const];
  const rendering = startRendering(t, { consul, specs, resyncMs: 100 });
  const { destination } = await rendering.until('current');
  const backup = (text: string) =>
    waitFor('the backup', () => read(`${destination}.bak`), { until: (now) => now === text });
  await consul.putKey('kept', 'second');
  await backup('first\n');
  await consul.putKey('kept', 'bad');
  await rendering.until('refused');
  t.strictSame([read(destination), read(`${destination}.bak`)], ['second\n', 'first\n']);
  await consul.putKey('kept', 'third');
  await backup('second\n');
});

t.test('a first file that does not work stays, because there is no earlier one, and is tried again', async (t) => {
  const consumer = makeConsumer(t);
  await consul.putKey('b', 'bad');
  const specs = [{ template: 'is {{key "b"}}\n', wait: quick, reload: consumer.reload, verify: consumer.verify }];
  const rendering = startRendering(t, { consul, specs });
  const { destination } = await rendering.until('failed');
  t.equal(read(destination), 'is bad\n');
  await waitFor('another attempt', () => consumer.reloads() > 1);
  await consul.putKey('b', 'good');
  await rendering.until('current');
});

t.test('where the last good file does not work either, the new one stays and its reload is owed', async (t) => {
  const consumer = makeConsumer(t);
  const broken = join(consumer.folder, 'broken');
  const reload = command(...sh(`test ! -e ${broken}`));
  await consul.putKey('c', '1');
  const rendering = startRendering(t, { consul, specs: [{ template: 'is {{key "c"}}\n', wait: quick, reload }] });
  const { destination } = await rendering.until('current');
  writeFileSync(broken, '');
  await consul.putKey('c', '2');
  const { lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, {
    error: { code: 'reload-failed', message: /The last good file does not work either, so the new one is in place/ },
  });
  t.equal(read(destination), 'is 2\n');
  writeFileSync(broken.replace('broken', 'fixed'), '');
  (await import('node:fs')).unlinkSync(broken);
  await rendering.until('current');
  t.equal(read(destination), 'is 2\n');
});

t.test('a change of master is never rolled back to the old one', async (t) => {
  const consumer = makeConsumer(t);
  const specs = [
    {
      template: '{{#each redisMasters}}{{address}}\n{{/each}}',
      wait: quick,
      reload: consumer.reload,
      verify: {
        deadlineMs,
        probes: [{ kind: 'command', command: { argv: sh(`! grep -q 10.6.6.6 ${join(consumer.folder, 'running')}`) } }],
      } as const,
    },
  ];
  await putRecord(consul, { name: 'm' });
  const rendering = startRendering(t, { consul, specs });
  const { destination } = await rendering.until('current');
  await putRecord(consul, { name: 'm', epoch: 9, master: { host: '10.6.6.6', port: 1 } });
  const { lastOutcome } = await rendering.until('failed');
  t.match(lastOutcome, { error: { code: 'verify-failed' } });
  t.equal(read(destination), '10.6.6.6:1\n');
  await consul.delete('/v1/kv/redis/record/m');
});

t.test('the next daemon repeats the reload of one that died between swap and reload', async (t) => {
  const consumer = makeConsumer(t);
  await consul.putKey('d', '1');
  const folder = makeFolder(t);
  const spec = { template: 'is {{key "d"}}\n', wait: quick, reload: consumer.reload };
  const first = startRendering(t, { consul, folder, specs: [spec] });
  const { destination } = await first.until('current');
  await first.stop();
  await consul.putKey('d', '2');
  writeFileSync(destination, 'is 2\n');
  const second = startRendering(t, { consul, folder, specs: [spec] });
  await second.until('current');
  t.equal(consumer.running(), 'is 2\n');
  await second.stop();
  const reloads = consumer.reloads();
  const third = startRendering(t, { consul, folder, specs: [spec] });
  await third.until('current');
  t.equal(consumer.reloads(), reloads);
});

t.test('a service that flaps a hundred times is one or two reloads', async (t) => {
  const consumer = makeConsumer(t);
  const service = (port: number) => ({ Name: 'web', ID: 'web-1', Address: '10.0.0.1', Port: port });
  await consul.put('/v1/agent/service/register', service(1));
  const template = '{{#each (service "web")}}{{address}}:{{port}}\n{{/each}}';
  const specs = [{ template, reload: consumer.reload, wait: { minMs: 2_000, maxMs: 10_000 } }];
  const rendering = startRendering(t, { consul, specs, resyncMs: 60_000 });
  const { destination } = await rendering.until('current');
  const reloads = consumer.reloads();
  for (let port = 2; port <= 101; port++) await consul.put('/v1/agent/service/register', service(port));
  await waitFor('the last one', () => read(destination), { until: (text) => text === '10.0.0.1:101\n' });
  await rendering.until('current');
  t.ok(consumer.reloads() - reloads <= 2, `${consumer.reloads() - reloads} reloads`);
  await consul.put('/v1/agent/service/deregister/web-1');
});

t.test('a loss above maxLoss is held until the catalog recovers or an operator releases it', async (t) => {
  const register = (n: number) => consul.put('/v1/agent/service/register', { Name: 'api', ID: `api-${n}`, Port: n });
  for (const n of [1, 2, 3, 4]) await register(n);
  const template = '{{#each (service "api")}}{{port}}\n{{/each}}';
  const rendering = startRendering(t, { consul, specs: [{ template, wait: quick, guard: { maxLoss: 0.3 } }] });
  const { destination } = await rendering.until('current');
  for (const n of [1, 2, 3]) await consul.put(`/v1/agent/service/deregister/api-${n}`);
  const { lastOutcome } = await rendering.until('held');
  t.match(lastOutcome, { kind: 'held', summary: /servers vanished/, details: { guard: 'max-loss' } });
  t.equal(read(destination), '1\n2\n3\n4\n'.slice(-(read(destination)?.length ?? 0)));
  for (const n of [1, 2, 3]) await register(n);
  await waitFor('the release', () => rendering.state().state, { until: (state) => state === 'current' });
  t.equal(read(destination), '1\n2\n3\n4\n');
  for (const n of [2, 3, 4]) await consul.put(`/v1/agent/service/deregister/api-${n}`);
  await waitFor('all to be gone', () => rendering.part.renderer.rendered('a.conf'), {
    until: (text) => text === '1\n',
  });
  await rendering.until('held');
  const held = rendering.part.templates.get('a.conf')?.held ?? '';
  t.match(held, /^[0-9a-f]{64}$/);
  const approve = (digest: string) => rendering.part.templateControls.approve('a.conf', { digest });
  t.throws(() => approve(held.replaceAll(/./g, '0')), { code: 'approve-refused', details: { held } });
  t.not(read(destination), '1\n', 'nothing was released');
  approve(held);
  await waitFor('the file to follow', () => read(destination), { until: (text) => text === '1\n' });
  t.throws(() => rendering.part.renderer.approve('a.conf'), { code: 'not-found' });
});

t.test('files beside a destination are hidden, and exist only where they are needed', async (t) => {
  const consumer = makeConsumer(t);
  await consul.putKey('e', '1');
  const folder = join(makeFolder(t), 'x');
  mkdirSync(folder);
  const rendering = startRendering(t, {
    consul,
    folder,
    specs: [{ template: '{{key "e"}}\n', wait: quick, reload: consumer.reload }],
  });
  const { destination } = await rendering.until('current');
  await consul.putKey('e', '2');
  await waitFor('the file to follow', () => read(destination), { until: (text) => text === '2\n' });
  await rendering.until('current');
  t.same(readdirSync(folder).sort(), [
    '.a.conf.switchmaster.good',
    '.a.conf.switchmaster.json',
    'a.conf',
    'a.conf.hbs',
  ]);
});
