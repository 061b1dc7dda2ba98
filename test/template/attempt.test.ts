import { execa } from 'execa';
import t from 'tap';
import { attemptWithin } from '../../lib/template/bounded/attempt.ts';

t.test('work gives its value, or throws its own error', async (t) => {
  t.strictSame(
    attemptWithin(1_000, () => undefined),
    { value: undefined },
  );
  const error = new Error('its own');
  t.throws(
    () =>
      attemptWithin(1_000, () => {
        throw error;
      }),
    error,
  );
});

t.test('V8 ends a loop, a regular expression and a `finally`, and the next work runs', async (t) => {
  let ended: 'caught' | undefined;
  const endless: Readonly<Record<string, () => unknown>> = {
    loop: () => {
      for (;;);
    },
    'regular expression': () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
    finally: () => {
      try {
        for (;;);
      } catch {
        ended = 'caught';
      } finally {
        ended = 'caught';
      }
    },
  };
  for (const [name, work] of Object.entries(endless)) {
    t.equal(attemptWithin(20, work), undefined, name);
    t.strictSame(
      attemptWithin(1_000, () => name),
      { value: name },
    );
  }
  t.equal(ended, undefined);
});

t.test('work that ends about when its time does never ends what follows', async (t) => {
  for (let round = 0; round < 300; round += 1) {
    const endMs = performance.now() + 1.8 + (round % 20) * 0.02;
    attemptWithin(2, () => {
      while (performance.now() < endMs);
    });
    const followsMs = performance.now() + 1;
    while (performance.now() < followsMs);
  }
  t.strictSame(
    attemptWithin(1_000, () => 'done'),
    { value: 'done' },
  );
});

t.test('without the inspector, a script of node:vm limits the time', async (t) => {
  const file = new URL('../../lib/template/bounded/attempt.ts', import.meta.url).href;
  const program = `
    process.getBuiltinModule = () => { throw new Error('no inspector'); };
    const { attemptWithin } = await import('${file}');
    console.log(JSON.stringify([attemptWithin(20, () => { for (;;); }) ?? 'ended', attemptWithin(1000, () => 'done')]));`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 });
  t.strictSame(JSON.parse(stdout), ['ended', { value: 'done' }]);
});

t.test('work within other work is refused, and the other one keeps its limit', async (t) => {
  const nested = () => attemptWithin(1_000, () => 'inner');
  t.throws(() => attemptWithin(1_000, nested), /one piece of work at once/);
  t.strictSame(
    attemptWithin(1_000, () => 'next'),
    { value: 'next' },
  );
});
