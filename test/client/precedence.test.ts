import t from 'tap';
import { Precedence } from '../../lib/client/precedence.ts';

t.test('answers wait until urgent work has ended, and what follows it', async (t) => {
  const precedence = new Precedence({ longestWaitMs: 60_000 });
  const seen: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = precedence.first(() => promise).then(() => seen.push('work'));
  const followed = work.then(() => seen.push('what follows'));
  const answers = [1, 2].map((n) => precedence.after().then(() => seen.push(`answer ${n}`)));
  await new Promise(setImmediate);
  t.strictSame(seen, []);
  resolve();
  await Promise.all([followed, ...answers]);
  t.strictSame(seen, ['work', 'what follows', 'answer 1', 'answer 2']);
});

t.test('without urgent work, and after it, nothing waits', async (t) => {
  const precedence = new Precedence();
  await precedence.after();
  await t.rejects(
    precedence.first(() => Promise.reject(new Error('refused'))),
    { message: 'refused' },
  );
  await precedence.after();
  await precedence.after();
});

t.test('work that hangs delays answers only briefly', async (t) => {
  const precedence = new Precedence();
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = precedence.first(() => promise);
  await precedence.after();
  t.pass('it continued while the work is under way');
  const later = precedence.after().then(() => 'later answer');
  const immediate = new Promise<string>((done) => setImmediate(done, 'immediate'));
  t.equal(await Promise.race([later, immediate]), 'later answer', 'the time counts from the start of the work');
  resolve();
  await work;
});

t.test(
  'what the other work needs is held back during the work that goes first, and briefly if that hangs',
  async (t) => {
    const seen: string[] = [];
    const hold = () => {
      seen.push('held');
      return () => void seen.push('released');
    };
    const precedence = new Precedence({ hold });
    await precedence.first(async () => seen.push('work'));
    await new Promise(setImmediate);
    t.strictSame(seen, ['held', 'work', 'released']);
    const { promise, resolve } = Promise.withResolvers<void>();
    const work = precedence.first(() => promise);
    await precedence.after();
    t.strictSame(seen.slice(3), ['held', 'released'], 'the work is still under way');
    resolve();
    await work;
  },
);

t.test('work that hangs does not let further work go unnoticed', async (t) => {
  const precedence = new Precedence({ longestWaitMs: 5 });
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = precedence.first(() => promise);
  await precedence.after();
  const seen: string[] = [];
  const next = precedence.first(async () => seen.push('next work'));
  await Promise.all([next, precedence.after().then(() => seen.push('answer'))]);
  t.strictSame(seen, ['next work', 'answer']);
  resolve();
  await work;
  await new Promise(setImmediate);
  await precedence.after();
});
