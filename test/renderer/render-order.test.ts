import t from 'tap';
import { Precedence } from '../../lib/client/precedence.ts';
import type { CommandSpec } from '../../lib/model/template-spec.ts';
import type { RenderHint } from '../../lib/renderer/hint.ts';
import { RenderOrder } from '../../lib/renderer/render-order.ts';
import { StageClock } from '../../lib/renderer/stages.ts';

const haproxy = { kind: 'haproxy', socket: '/run/haproxy.sock', fallback: undefined } as never;
const moved: RenderHint = {
  kind: 'masters',
  urgency: 'master-change',
  source: 'consul',
  event: 'value',
  receivedMs: 1,
};
const added: RenderHint = { ...moved, urgency: 'ordinary' } as RenderHint;

const ends: (() => void)[] = [];
t.afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Templates that one decision wakes in this order. Each begins, and the test ends its work. */
function stage(hint: RenderHint) {
  const seen: string[] = [];
  const answers = new Precedence({ longestWaitMs: 60_000 });
  const order = new RenderOrder({ answers, longestWaitMs: 60_000 });
  const wake = (name: string, reload?: never, check?: CommandSpec) => {
    const clock = new StageClock();
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.push(resolve);
    const work = () => {
      seen.push(name);
      return promise;
    };
    const ended = order.run({ spec: { reload, check }, run: { hints: [hint] }, clock }, work);
    return { clock, end: resolve, ended };
  };
  return { seen, wake, answers };
}

const turns = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
};

t.test("at a change of master, HAProxy's servers move before other templates begin, whatever the order", async (t) => {
  const { seen, wake } = stage(moved);
  const first = wake('twemproxy');
  const { clock, end, ended } = wake('haproxy', haproxy);
  const last = wake('app');
  await turns();
  t.strictSame(seen, ['haproxy']);
  clock.reached('moved');
  await turns();
  t.strictSame(seen, ['haproxy', 'twemproxy', 'app'], 'while its file is written');
  for (const template of [first, { end, ended }, last]) template.end();
  await Promise.all([first.ended, ended, last.ended]);
});

t.test('other templates begin also if HAProxy does not move, because its file is right or its run fails', async (t) => {
  const { seen, wake } = stage(moved);
  const { end } = wake('haproxy', haproxy);
  const other = wake('twemproxy');
  end();
  await turns();
  t.strictSame(seen, ['haproxy', 'twemproxy']);
  other.end();
  const failing = new RenderOrder({}).run(
    { spec: { reload: haproxy }, run: { hints: [moved] }, clock: new StageClock() },
    () => Promise.reject(new Error('no such file')),
  );
  await t.rejects(failing, { message: 'no such file' });
});

t.test('nothing waits where no master changes, or without HAProxy', async (t) => {
  const { seen, wake } = stage(added);
  wake('haproxy', haproxy);
  wake('twemproxy');
  await turns();
  t.strictSame(seen, ['haproxy', 'twemproxy']);
  const alone = stage(moved);
  alone.wake('twemproxy');
  await turns();
  t.strictSame(alone.seen, ['twemproxy']);
});

t.test("without HAProxy, no template waits for the bridge's transaction: files do not wait for Consul", async (t) => {
  const { seen, wake, answers } = stage(moved);
  const transaction = Promise.withResolvers<void>();
  const writing = answers.first(() => transaction.promise);
  wake('twemproxy');
  await turns();
  t.strictSame(seen, ['twemproxy']);
  transaction.resolve();
  await writing;
});

t.test("Consul's answers wait until another template's file has its name, or until its run ends", async (t) => {
  const { seen, wake, answers } = stage(moved);
  const twemproxy = wake('twemproxy');
  const app = wake('app');
  await turns();
  const answered = answers.after().then(() => seen.push('answer'));
  twemproxy.clock.reached('rendered');
  twemproxy.clock.reached('swapped');
  await turns();
  t.strictSame(seen, ['twemproxy', 'app']);
  app.end();
  await answered;
  t.strictSame(seen, ['twemproxy', 'app', 'answer'], 'while the consumer of the other one reloads');
  twemproxy.end();
  const ordinary = stage(added);
  ordinary.wake('twemproxy');
  await ordinary.answers.after();
  const checked = stage(moved);
  checked.wake('twemproxy', undefined, { argv: ['nutcracker', '-t'], timeoutMs: 5_000 });
  await turns();
  await checked.answers.after();
  t.strictSame(checked.seen, ['twemproxy'], 'they do not wait for a check');
});

t.test("Consul's answers wait until HAProxy's servers have moved", async (t) => {
  const { seen, wake, answers } = stage(moved);
  const { clock, end } = wake('haproxy', haproxy);
  const answered = answers.after().then(() => seen.push('answer'));
  await turns();
  t.strictSame(seen, ['haproxy']);
  clock.reached('moved');
  await answered;
  t.strictSame(seen, ['haproxy', 'answer']);
  end();
});
