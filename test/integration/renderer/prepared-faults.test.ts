import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { at, newHost, oldHost, sentinel, startPrepared } from '../support/preparing.ts';
import { type SpecInput, sh } from '../support/rendering.ts';

/* What goes wrong between the selection of a replica and its promotion. */
const sandbox = await Sandbox.openFor(t, { name: 'prepared-faults' });
const consul = await sandbox.consul();
const start = (t: Test, over?: Partial<SpecInput>) => startPrepared(t, consul, over);

/** Instead of being ended, the check ran into its time limit or into that of the daemon's end. */
const tooLate = /did not end within|is stopping/;

type Scene = Awaited<ReturnType<typeof start>>;

/** A template whose check of the expected text lasts until `release`. */
async function startSlow(t: Test) {
  const folder = sandbox.path(`slow-${t.name.replace(/\W+/g, '-')}`);
  mkdirSync(folder);
  const [log, gate] = [join(folder, 'log'), join(folder, 'gate')];
  const wait = `echo begin >> ${log}; until [ -e ${gate} ]; do sleep 0.01; done; echo end >> ${log}`;
  const argv = sh(`if grep -q "shard1 ${newHost}" "$0"; then ${wait}; fi`).concat('{{file}}');
  const scene = await start(t, { check: { argv } });
  const steps = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : []);
  await waitFor('no run', () => scene.rendering.part.isIdle);
  scene.decisions.expectations.begin({ name: 'shard1', master: at(newHost), epoch: 5, sentinel });
  await waitFor('the check', () => steps().length === 1);
  return { ...scene, steps, release: () => writeFileSync(gate, '') };
}

/** The last outcome is that of a run which failed, and another attempt follows. */
async function untilFailing({ rendering }: Scene): Promise<void> {
  rendering.part.renderer.retry('a.conf');
  await rendering.until('failed');
}

t.test('the end of a failover puts off no attempt of a template that fails', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  rmSync(scene.destination);
  mkdirSync(scene.destination);
  await untilFailing(scene);
  const failures = () => scene.rendering.reports.filter(({ outcome }) => outcome.kind === 'failed').length;
  scene.decisions.expectations.abort('shard1', sentinel);
  const before = failures();
  await waitFor('another attempt', () => failures() > before + 1);
  rmdirSync(scene.destination);
  await waitFor('the file', () => existsSync(scene.destination));
  await scene.rendering.until('current');
  t.match(readFileSync(scene.destination, 'utf8'), oldHost);
  t.strictSame(scene.candidates(), []);
});

t.test('a template that fails is not prepared', async (t) => {
  const scene = await start(t);
  rmSync(scene.destination);
  mkdirSync(scene.destination);
  await untilFailing(scene);
  await waitFor('no run', () => scene.rendering.part.isIdle);
  scene.decisions.expectations.begin({ name: 'shard1', master: at(newHost), epoch: 5, sentinel });
  rmdirSync(scene.destination);
  await scene.rendering.until('current');
  t.strictSame(scene.prepared(), []);
});

t.test('a change of master does not wait for a check that prepares a file', async (t) => {
  const scene = await startSlow(t);
  const deciding = scene.decide(newHost, 5);
  await waitFor('its own check', () => scene.steps().length === 2);
  scene.release();
  await deciding;
  t.strictSame(scene.steps(), ['begin', 'begin', 'end']);
  t.strictSame(scene.candidates(), []);
});

t.test('the end of a failover ends the check of its file', async (t) => {
  const scene = await startSlow(t);
  scene.decisions.expectations.abort('shard1', sentinel);
  await waitFor('no run', () => scene.rendering.part.isIdle);
  scene.release();
  t.strictSame(scene.steps(), ['begin']);
  t.notMatch(JSON.stringify(scene.rendering.reports), tooLate);
  await waitFor('no candidate', () => scene.candidates().length === 0);
});

t.test('the daemon does not wait for the check of a prepared file when it stops', async (t) => {
  const scene = await startSlow(t);
  await scene.rendering.part.stop({ graceMs: 60_000 });
  t.strictSame(scene.steps(), ['begin']);
  t.notMatch(JSON.stringify(scene.rendering.reports), tooLate);
  t.strictSame(scene.candidates(), []);
});

t.test('an order to read everything again comes between: the check is run again', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  scene.commands();
  scene.rendering.part.refresh('order');
  await waitFor('no candidate', () => scene.candidates().length === 0);
  await scene.decide(newHost, 5);
  t.strictSame(scene.commands(), ['check', 'reload']);
  t.strictSame(scene.prepared(), ['ready', 'unused']);
});

t.test('the file is edited by hand between: the edited one is kept for a rollback', async (t) => {
  const scene = await start(t);
  await scene.expect(newHost, 5);
  writeFileSync(scene.destination, 'edited');
  await scene.decide(newHost, 5);
  t.strictSame(scene.prepared(), ['ready', 'used']);
  t.equal(readFileSync(join(scene.rendering.folder, '.a.conf.switchmaster.good'), 'utf8'), 'edited');
});

t.test('a file that was edited by hand before is not kept for a rollback', async (t) => {
  const scene = await start(t);
  const good = join(scene.rendering.folder, '.a.conf.switchmaster.good');
  writeFileSync(scene.destination, 'edited');
  await scene.expect(newHost, 5);
  t.strictSame(scene.prepared(), ['none']);
  t.equal(existsSync(good), false);
  await scene.decide(newHost, 5);
});
