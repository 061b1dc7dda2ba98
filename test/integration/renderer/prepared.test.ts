import { appendFileSync, chmodSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { at, newHost, oldHost, otherHost, sentinel, startPrepared, template } from '../support/preparing.ts';
import { putRecord, type SpecInput, sh } from '../support/rendering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'prepared' });
const consul = await sandbox.consul();
const start = (t: Test, over?: Partial<SpecInput>) => startPrepared(t, consul, over);

t.test('a file is written and checked before the change of master, and only then gets its name', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  t.equal(scene.candidates().length, 1);
  t.strictSame(scene.commands(), ['check']);
  t.match(readFileSync(scene.destination, 'utf8'), oldHost, 'the file is the old one');
  t.match(await scene.rendering.part.renderer.rendered('a.conf'), oldHost, 'nobody sees the expected text');
  const good = () => readFileSync(join(scene.rendering.folder, '.a.conf.switchmaster.good'), 'utf8');
  t.match(good(), oldHost, 'the old file is kept for a rollback');
  await scene.decide(newHost, 5);
  t.strictSame(scene.commands(), ['reload'], 'it is not checked once more');
  t.strictSame(scene.prepared(), ['ready', 'used']);
  t.strictSame(scene.candidates(), []);
  t.match(good(), oldHost);
});

t.test('another replica becomes the master: its own text is checked and replaces the file', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  scene.commands();
  await scene.decide(otherHost, 5);
  t.strictSame(scene.commands(), ['check', 'reload']);
  t.strictSame(scene.prepared(), ['ready', 'unused']);
  await waitFor('no candidate', () => scene.candidates().length === 0);
});

t.test('another change comes as well: the text differs, and takes every step', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  scene.commands();
  await putRecord(consul, { name: 'shard2', master: at('10.0.1.1') });
  const text = () => readFileSync(scene.destination, 'utf8');
  await waitFor('the second master', text, { until: (now) => now.includes('shard2') });
  await scene.rendering.until('current');
  t.strictSame(scene.commands(), ['check', 'reload']);
  await scene.decide(newHost, 5);
  t.match(text(), /shard1 10\.0\.0\.2:6379\nshard2/);
  t.strictSame(scene.commands(), ['check', 'reload']);
  t.strictSame(scene.prepared(), ['ready', 'unused']);
});

t.test('an aborted failover leaves no candidate', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  scene.decisions.expectations.abort('shard1', sentinel);
  await waitFor('no candidate', () => scene.candidates().length === 0);
  await waitFor('the report', () => scene.prepared().at(-1) === 'unused');
  t.match(readFileSync(scene.destination, 'utf8'), oldHost);
  scene.commands();
  await scene.expect(newHost, 6);
  await scene.decide(newHost, 6);
  t.strictSame(scene.commands(), ['check', 'reload'], 'the next failover is prepared again');
});

t.test('a candidate that somebody changed is not used', async (t) => {
  const changes: readonly (readonly [string, (file: string) => void])[] = [
    ['written', (file) => appendFileSync(file, 'x')],
    ['touched', (file) => utimesSync(file, 1, 1)],
    ['given another mode', (file) => chmodSync(file, 0o600)],
  ];
  for (const [name, change] of changes) {
    await t.test(name, async (t) => {
      const scene = await start(t);
      await scene.expect(newHost, 5);
      scene.commands();
      change(join(scene.rendering.folder, scene.candidates()[0] ?? ''));
      await scene.decide(newHost, 5);
      t.equal(readFileSync(scene.destination, 'utf8').includes('x'), false);
      t.strictSame(scene.commands(), ['check', 'reload']);
      t.strictSame(scene.prepared(), ['ready', 'unused']);
    });
  }
});

t.test('nothing is prepared where a step could not be skipped', async (t) => {
  const refused = { argv: sh('grep -q 10.0.0.1 "$0"').concat('{{file}}') };
  const cases: readonly (readonly [string, Partial<SpecInput>])[] = [
    ['the check refuses the text', { check: refused }],
    ['others may write to the file', { mode: 0o666 }],
    ['the template writes the time', { template: `${template}# {{timestamp}}\n` }],
  ];
  for (const [name, over] of cases) {
    await t.test(name, async (t) => {
      const scene = await start(t, over);
      await scene.expect(newHost, 5);
      t.strictSame(scene.prepared(), ['none']);
      t.strictSame(scene.candidates(), []);
    });
  }
  await t.test('others may write to the folder', async (t) => {
    const scene = await start(t);
    chmodSync(scene.rendering.folder, 0o777);
    await scene.expect(newHost, 5);
    t.strictSame(scene.prepared(), ['none']);
    t.strictSame(scene.candidates(), []);
  });
});

t.test('a folder that others may write to meanwhile', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  scene.commands();
  chmodSync(scene.rendering.folder, 0o777);
  await scene.decide(newHost, 5);
  t.strictSame(scene.commands(), ['check', 'reload']);
  t.strictSame(scene.prepared(), ['ready', 'unused']);
});

t.test('the end of the renderer removes the candidate', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  t.equal(scene.candidates().length, 1);
  await scene.rendering.stop();
  t.strictSame(scene.candidates(), []);
});
