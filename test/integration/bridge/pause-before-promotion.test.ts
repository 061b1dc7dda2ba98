import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { nowMs } from '../../sandbox/recorder.ts';
import { redisCli } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOver, only, recordOf, startBridge } from '../support/bridging.ts';
import { slowAnswers } from '../support/slow-sentinel.ts';

t.setTimeout(180_000);
const sandbox = await Sandbox.openFor(t, { name: 'pause-before-promotion' });

t.test('the writes wait from the selection on, even if the leading Sentinel answers late', async (t) => {
  const name = 'shard1';
  const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name })]);
  const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs: 10_000 });
  const answersAfterMs = 800;
  let delayMs = 0;
  const slow = await Promise.all(
    sentinels.map(async ({ address }) => ({
      address: await slowAnswers(t, { sentinel: address, listen: await sandbox.address(), delayMs: () => delayMs }),
    })),
  );
  const bridge = startBridge(t, { consul, sentinels: slow });
  await recordOf(consul, name);
  const recorder = await only(sentinels).record();
  // Asked at the message of the selection: the leading Sentinel answers it later than the bridge must act.
  let answered: Promise<number> | undefined;
  recorder.onEvent = ({ channel }) => {
    if (channel === '+selected-slave')
      answered ??= redisCli(only(slow).address, ['SENTINEL', 'MASTER', name]).then(() => nowMs());
  };
  delayMs = answersAfterMs;
  await failOver(only(sentinels), name);
  const selected = await recorder.event('+selected-slave');
  const pauses = () => bridge.fences.filter(({ action }) => action === 'pause-before-promotion');
  const pause = (await waitFor('the pause', () => pauses()[0])) as (typeof bridge.fences)[number];
  t.equal(pause.address, formatAddress(shard.master.address));
  const answerMs = (await answered) ?? 0;
  const [pausedMs, answeredMs] = [pause.atMs, answerMs].map((atMs) => Math.round(atMs - selected.atMs));
  t.ok(pause.atMs < answerMs, `${pausedMs} ms after the selection; the Sentinel answered after ${answeredMs} ms`);
  recorder.close();
  delayMs = 0;
  t.match(await recordOf(consul, name, { master: only(shard.replicas), timeoutMs: 30_000 }), { generation: 1 });
});
