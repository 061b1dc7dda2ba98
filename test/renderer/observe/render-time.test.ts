import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import t from 'tap';
import { RenderTime } from '../../../lib/renderer/observe/render-time.ts';
import { compileTemplate } from '../../../lib/template/compile.ts';
import { makeWorld } from '../../template/world.ts';

const text = '{{vars.x}} {{timestamp "15:04:05.000"}}';
const template = compileTemplate({ template: { file: 't.hbs', text }, format: 'text' });

/** Renders with the clock at the given time. */
async function render(time: RenderTime, x: string): Promise<string> {
  const result = await time.render(async (now) => template.render({ ...makeWorld({}, { vars: { x } }), now }));
  return result.kind === 'rendered' ? result.text : result.kind;
}

t.test('the time that a template writes changes only together with the rest of the text', async (t) => {
  const time = new RenderTime(join(t.testdir(), 'out'));
  const first = await render(time, 'a');
  t.match(first, /^a \d\d:\d\d:\d\d\.\d{3}$/);
  const shown = Date.now();
  while (Date.now() === shown) await immediate();
  t.equal(await render(time, 'a'), first);
  const second = await render(time, 'b');
  t.not(second.slice(2), first.slice(2));
  t.equal(await render(time, 'b'), second);
});

t.test('after a restart, it is the time at which the file was written', async (t) => {
  const file = join(t.testdir(), 'out');
  writeFileSync(file, 'a 10:20:30.000');
  const written = new Date('2024-01-02T10:20:30Z');
  utimesSync(file, written, written);
  t.equal(await render(new RenderTime(file), 'a'), 'a 10:20:30.000');
  t.not(await render(new RenderTime(file), 'b'), 'b 10:20:30.000');
  writeFileSync(file, '# Written by switchmaster from t.hbs. Changes here are replaced.\na 10:20:30.000');
  utimesSync(file, written, written);
  t.equal(await render(new RenderTime(file), 'a'), 'a 10:20:30.000', 'the head is not compared');
});
