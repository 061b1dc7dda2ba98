import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { Secret } from '../../lib/config/secret.ts';
import { Assembly, type Blueprint } from '../../lib/daemon/assembly.ts';
import { settingsHash } from '../../lib/daemon/settings-hash.ts';
import type { Part } from '../../lib/part.ts';
import { makeLog } from '../../lib/telemetry/log.ts';

function setup() {
  const events: string[] = [];
  const log = makeLog({
    level: 'error',
    format: 'json',
    stream: { write: (line) => void events.push(JSON.parse(line).msg) },
  });
  const blueprint = (name: string, settings: unknown, extra: Partial<Part> = {}): Blueprint => ({
    name,
    settingsHash: settingsHash(settings),
    build: () => ({
      name,
      start: () => void events.push(`start ${name}`),
      stop: async () => void events.push(`stop ${name}`),
      ready: () => ({ ready: true }),
      ...extra,
    }),
  });
  return { events, assembly: new Assembly(log), blueprint };
}
const grace = { graceMs: 0, cause: 'order' } as const;

t.test('parts start in order and stop in reverse', async (t) => {
  const { events, assembly, blueprint } = setup();
  await assembly.become([blueprint('a', 1), blueprint('b', 1), blueprint('c', 1)], grace);
  await assembly.stop(grace);
  t.strictSame(events, ['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
});

t.test('orders that parts carry out end before the first part that changes is stopped', async (t) => {
  const { events, assembly, blueprint } = setup();
  const ordered = (name: string, settings: number) =>
    blueprint(name, settings, {
      endOrders: async ({ graceMs }) => {
        await delay(1);
        events.push(`orders of ${name} within ${graceMs}`);
      },
    });
  await assembly.become([ordered('a', 1), ordered('b', 1), blueprint('c', 1)], grace);
  events.length = 0;
  await assembly.become([ordered('a', 1), ordered('b', 2), blueprint('c', 2)], { ...grace, graceMs: 500 });
  t.strictSame(events, ['orders of b within 500', 'stop c', 'stop b', 'start b', 'start c']);
});

t.test('a reload keeps the parts whose settings did not change', async (t) => {
  const { events, assembly, blueprint } = setup();
  await assembly.become([blueprint('a', 1), blueprint('b', 1), blueprint('c', 1)], grace);
  events.length = 0;
  await assembly.become([blueprint('a', 1), blueprint('b', 2), blueprint('d', 1)], grace);
  t.strictSame(events, ['stop c', 'stop b', 'start b', 'start d']);
  t.strictSame(
    assembly.parts.map(({ name }) => name),
    ['a', 'b', 'd'],
  );
});

t.test(
  'a part that fails to start does not stop the others, is reported as missing, and starts with the next reload',
  async (t) => {
    const { events, assembly, blueprint } = setup();
    const start = () => {
      throw new Error('no luck');
    };
    await assembly.become([blueprint('a', 1, { start }), blueprint('b', 1)], grace);
    t.strictSame(events, ['part failed to start', 'start b']);
    t.strictSame(assembly.missing(), ['a: it failed to start: no luck']);
    await assembly.become([blueprint('a', 1), blueprint('b', 1)], grace);
    t.strictSame(events.slice(2), ['start a']);
    t.strictSame(assembly.missing(), []);
  },
);

t.test('a part that fails to stop does not keep the others from stopping', async (t) => {
  const { events, assembly, blueprint } = setup();
  const stop = () => Promise.reject(new Error('stuck'));
  await assembly.become([blueprint('a', 1), blueprint('b', 1, { stop })], grace);
  await assembly.stop(grace);
  t.strictSame(events.slice(2), ['part failed to stop', 'stop a']);
});

t.test('the parts have one time in which to stop, and each of them some of it', async (t) => {
  const { assembly, blueprint } = setup();
  const given = new Map<string, number>();
  const part = (name: string, tookMs = 0) =>
    blueprint(name, 1, {
      stop: async ({ graceMs }) => {
        given.set(name, graceMs);
        // The work of a part takes this long.
        await delay(tookMs);
      },
    });
  await assembly.become([part('a'), part('b', 1_200), part('c', 200)], { graceMs: 2_000, cause: 'order' });
  await assembly.stop({ graceMs: 2_000 });
  t.ok(Number(given.get('c')) > 1_900);
  // A timer may be a millisecond early.
  t.ok(Number(given.get('b')) < 1_810 && Number(given.get('b')) > 1_000);
  t.equal(given.get('a'), 1_000);
});

t.test('a changed secret changes the hash of settings', (t) => {
  t.equal(settingsHash({ a: new Secret('x') }), settingsHash({ a: new Secret('x') }));
  t.not(settingsHash({ a: new Secret('x') }), settingsHash({ a: new Secret('y') }));
  t.notMatch(settingsHash({ a: new Secret('hunter2') }), /hunter2/);
  t.end();
});
