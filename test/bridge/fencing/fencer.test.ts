import t from 'tap';
import type { FenceReport } from '../../../lib/bridge/fencing/enforcement.ts';
import { Fencer } from '../../../lib/bridge/fencing/fencer.ts';
import { type Evidence, pauseMs } from '../../../lib/bridge/fencing/plan.ts';
import { RedisPool } from '../../../lib/client/redis-pool.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { RespConnection, redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { record, view } from '../plan/world.ts';

const sandbox = await Sandbox.openFor(t, { name: 'fencer' });

/** Two masters, one of them a former one, and the record that names the other. */
async function start(name: string, mode: 'demote' | 'pause' | 'none' = 'demote') {
  const [now, old] = await Promise.all(
    ['now', 'old'].map((one) => sandbox.redis({ name: `${name}-${one}`, replicas: 0 })),
  );
  if (now === undefined || old === undefined) throw new Error('two were started');
  const redis = new RedisPool({});
  t.teardown(() => redis.close());
  redis.keep('m', [now.master.address, old.master.address]);
  for (const { address } of [now.master, old.master])
    await waitFor('a connection', () => redis.role(address, { timeoutMs: 500 }), {
      until: ({ role }) => role === 'master',
    });
  const reports: FenceReport[] = [];
  let maintenance: string | undefined;
  const maintain = (why: string | undefined) => {
    maintenance = why;
  };
  const onReport = (report: FenceReport) => reports.push(report);
  const fencer = new Fencer({ redis, settings: { fence: mode }, whyNot: () => maintenance, onReport });
  const confirmed = {
    ...record('A'),
    master: now.master.address,
    replicas: [old.master.address],
    previous: old.master.address,
  };
  const members = [now.master.address, old.master.address];
  const views = [
    view(1, 'A', 5, { master: now.master.address, replicas: [{ address: old.master.address, condition: 'up' }] }),
  ];
  const enforce = async (evidence: Evidence, stillHolds = () => true, given = confirmed) => {
    const weigh = async () => ({ evidence, views });
    const { stale, secondMasters } = await fencer.enforce(given, { members, views, weigh, stillHolds });
    seconds = secondMasters.map(({ address, state }) => `${formatAddress(address)} ${state}`).join();
    return stale.map(formatAddress).join();
  };
  let seconds = '';
  const second = () => seconds.replace(formatAddress(old.master.address), 'old');
  return { now: now.master, old: old.master, redis, fencer, reports, confirmed, enforce, second, maintain };
}

const isPaused = (address: { host: string; port: number }) =>
  redisCli(address, ['SET', 'k', 'v'], { timeoutMs: 200 }).then(
    () => false,
    () => true,
  );

t.test(
  'when the master changes, the old master pauses writes and not reads, and the new one accepts writes',
  async (t) => {
    const { now, old, fencer, reports } = await start('change');
    await fencer.changeMaster('m', { from: old.address, to: now.address });
    t.ok(await isPaused(old.address));
    t.equal(await redisCli(old.address, ['GET', 'k'], { timeoutMs: 500 }), null);
    t.notOk(await isPaused(now.address));
    t.strictSame(reports, [
      { name: 'm', action: 'pause', address: formatAddress(old.address), error: undefined, refused: [] },
    ]);
    await waitFor('the pause to end by itself', async () => !(await isPaused(old.address)), { timeoutMs: 8_000 });
  },
);

t.test('a former master that refuses to be demoted pauses its writes', async (t) => {
  const { old, reports, enforce, second } = await start('refused');
  await redisCli(old.address, ['ACL', 'SETUSER', 'default', '-replicaof', '-slaveof'], { timeoutMs: 2_000 });
  t.equal(await enforce('proven'), formatAddress(old.address));
  t.ok(await isPaused(old.address));
  t.match(reports, [
    { action: 'demote', error: { code: 'redis-denied' } },
    { action: 'pause', error: undefined },
  ]);
  t.equal(second(), 'old paused');
});

t.test('the pause at the selection of a replica ends by itself', async (t) => {
  const { now, old, fencer, reports } = await start('pause-before-promotion');
  await fencer.pauseBeforePromotion('m', old.address);
  t.ok(await isPaused(old.address));
  await waitFor('the pause to end by itself', async () => !(await isPaused(old.address)), { timeoutMs: 3_000 });
  await fencer.pauseBeforePromotion('m', now.address);
  await fencer.changeMaster('m', { from: now.address, to: old.address });
  const actions = reports.map(({ action }) => action);
  t.strictSame(actions.slice(0, 2), ['pause-before-promotion', 'pause-before-promotion']);
  // Two servers answer at once, in any order.
  t.strictSame(actions.slice(2).sort(), ['pause', 'release']);
});

t.test('the pause at the selection reports a refusal, and does not report a dead master', async (t) => {
  const { old, fencer, reports } = await start('pause-dead');
  await old.command('ACL', 'SETUSER', 'default', '-client|pause');
  await fencer.pauseBeforePromotion('m', old.address);
  t.match(reports, [{ action: 'pause-before-promotion', error: { code: 'redis-denied' } }]);
  await old.kill();
  await fencer.pauseBeforePromotion('m', old.address);
  t.equal(reports.length, 1);
});

t.test('maintenance permits no pause, and one that has begun ends by itself', async (t) => {
  const { now, old, fencer, reports, enforce, second, maintain } = await start('maintenance');
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  t.ok(await isPaused(old.address));
  maintain('m is in maintenance');
  fencer.suspend('m');
  t.ok(await isPaused(old.address), 'another bridge may have paused it too, for a failover that loses nothing');
  t.equal(await enforce('proven'), formatAddress(old.address));
  t.equal(second(), 'old paused');
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  await fencer.pauseBeforePromotion('m', old.address);
  await fencer.hold('m', old.address);
  t.strictSame(
    reports.map(({ action }) => action),
    ['pause'],
  );
  await waitFor('the pause to end by itself', async () => !(await isPaused(old.address)), { timeoutMs: 10_000 });
  t.equal(await enforce('proven'), formatAddress(old.address));
  t.equal(second(), 'old left');
  maintain(undefined);
  t.equal(await enforce('proven'), formatAddress(old.address));
  t.equal(second(), '');
  t.equal(await old.role(), 'replica');
});

t.test('a former master that becomes master again is released at once', async (t) => {
  const { now, old, fencer, reports } = await start('again');
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  await fencer.changeMaster('m', { from: now.address, to: old.address });
  t.notOk(await isPaused(old.address));
  t.ok(await isPaused(now.address));
  t.strictSame(reports.map(({ action }) => action).sort(), ['pause', 'pause', 'release']);
});

t.test('with proof, a former master becomes a replica and its clients are disconnected', async (t) => {
  const { now, old, enforce } = await start('proven');
  const client = await RespConnection.open(old.address);
  t.equal(await enforce('proven'), formatAddress(old.address));
  t.strictSame(((await old.command('ROLE')) as unknown[]).slice(0, 3), ['slave', now.address.host, now.address.port]);
  await waitFor('the client to be ended', () => client.closed);
  t.equal(await now.role(), 'master');
  t.equal(await enforce('proven'), '');
});

t.test('a former master is only paused without proof, and left alone without evidence', async (t) => {
  const { old, enforce, second, reports } = await start('likely');
  t.equal(await enforce('none'), formatAddress(old.address));
  t.equal(second(), 'old open');
  t.strictSame(reports, []);
  t.equal(await enforce('likely'), formatAddress(old.address));
  t.ok(await isPaused(old.address));
  t.equal(await old.role(), 'master');
});

t.test('before the confirmation, a former master that was out of reach at the change is paused once', async (t) => {
  const { now, old, fencer, enforce, reports, confirmed } = await start('late');
  const promoted = { ...confirmed, phase: 'promoted' as const };
  await old.kill();
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  t.match(reports, [{ action: 'pause', error: { code: /^redis-/ } }]);
  await old.start();
  await waitFor('the pause', async () => {
    await enforce('none', () => true, promoted);
    return reports.some(({ error }) => error === undefined);
  });
  t.ok(await isPaused(old.address));
  const before = reports.length;
  await enforce('proven', () => true, promoted);
  t.equal(reports.length, before);
  t.equal(await old.role(), 'master');
});

t.test('the pause of a former master lasts until the demotion, and ends if the promotion does not stand', async (t) => {
  const { now, old, fencer, enforce, reports, confirmed } = await start('lasting');
  const promoted = { ...confirmed, phase: 'promoted' as const };
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  const endMs = performance.now() + pauseMs;
  await waitFor('the end of the first pause', async () => {
    await enforce('none', () => true, reports.length < 3 ? promoted : confirmed);
    return performance.now() > endMs + 500;
  });
  t.ok(await isPaused(old.address));
  t.equal(await old.role(), 'master');
  await now.kill();
  await waitFor('the pause to end by itself', async () => {
    return (await enforce('none', () => true, promoted)) !== '' && !(await isPaused(old.address));
  });
});

t.test(
  'no action follows when the record has changed meanwhile, and no demotion before the confirmation',
  async (t) => {
    const { old, enforce, second, reports, confirmed } = await start('changed');
    t.equal(await enforce('proven', () => false), formatAddress(old.address));
    t.equal(await enforce('proven', () => false, { ...confirmed, phase: 'promoted' }), formatAddress(old.address));
    t.equal(second(), 'old open');
    t.strictSame(reports, []);
    t.equal(await old.role(), 'master');
  },
);

t.test('the mode pause never demotes, and the mode none does nothing', async (t) => {
  const pause = await start('pause', 'pause');
  await pause.enforce('proven');
  t.equal(await pause.old.role(), 'master');
  t.ok(await isPaused(pause.old.address));
  const none = await start('none', 'none');
  await none.enforce('proven');
  t.equal(none.second(), 'old left');
  await none.fencer.changeMaster('m', { from: none.old.address, to: none.now.address });
  t.notOk(await isPaused(none.old.address));
  t.strictSame(none.reports, []);
});

t.test('a failed action is reported', async (t) => {
  const { now, old, fencer, reports } = await start('dead');
  await old.kill();
  await fencer.changeMaster('m', { from: old.address, to: now.address });
  t.match(reports, [{ action: 'pause', address: formatAddress(old.address), error: { code: /^redis-/ } }]);
});

t.test('the pause before a promotion does not fail because the connection was just given up', async (t) => {
  const { old, redis, fencer, reports } = await start('given-up');
  old.pause();
  t.match(await redis.role(old.address, { timeoutMs: 30 }), { role: 'unreachable' });
  const pausing = fencer.pauseBeforePromotion('m', old.address);
  old.resume();
  await pausing;
  t.match(reports, [{ action: 'pause-before-promotion', address: formatAddress(old.address), error: undefined }]);
  t.ok(await isPaused(old.address));
});
