import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { command, makeFolder, putRecord, sh, startRendering } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'render-seed' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1', replicas: 0 })]);
await putRecord(consul, { name: 'shard1', ...shard.master.address });

t.test("a Sentinel's first config file is written if there is none, and never after that", async (t) => {
  const at = await sandbox.address();
  const program = ['redis-sentinel', '{{file}}'];
  const folder = makeFolder(t);
  const rendering = startRendering(t, {
    consul,
    folder,
    resyncMs: 50,
    specs: [
      {
        name: 'sentinel.conf',
        template: 'sentinel.conf.hbs',
        vars: { bind: at.host, port: at.port, dir: folder, monitor: true, quorum: 1 },
        upkeep: 'seed',
        mode: 0o600,
        reload: { kind: 'supervise', command: { argv: program }, change: { kind: 'restart' } },
      },
    ],
  });
  const { destination } = await rendering.until('current');
  const text = () => readFileSync(destination, 'utf8');
  await waitFor('Sentinel to make the file its own', text, { until: (now) => now.includes('sentinel myid') });
  const owned = /^sentinel myid .*$/m.exec(text())?.[0] ?? '';
  // Another text than before, and the file is read many times.
  await putRecord(consul, { name: 'shard2', ...shard.master.address });
  const runs = rendering.reports.length;
  await waitFor('ten more looks', () => rendering.reports.length > runs + 10);
  t.match(text(), owned);
  t.notMatch(text(), 'shard2');
  t.match(await rendering.part.renderer.rendered('sentinel.conf'), 'monitor shard2');
  t.equal(rendering.reports.filter(({ outcome }) => outcome.kind === 'applied').length, 1);
});

t.test('a reload that failed after a seed is repeated, and the seed is not written again', async (t) => {
  const folder = makeFolder(t);
  const go = join(folder, 'go');
  const reload = command(...sh(`test -e ${go}`));
  const specs = [{ template: 'first\n', upkeep: 'seed', reload } as const];
  const rendering = startRendering(t, { consul, folder, resyncMs: 50, specs });
  const { destination } = await rendering.until('failed');
  writeFileSync(destination, 'its own\n');
  writeFileSync(go, '');
  await rendering.until('current');
  t.equal(readFileSync(destination, 'utf8'), 'its own\n');
});
