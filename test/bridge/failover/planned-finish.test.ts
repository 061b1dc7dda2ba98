import t from 'tap';
import { PlannedCourse } from '../../../lib/bridge/failover/planned-course.ts';
import { finishPlanned } from '../../../lib/bridge/failover/planned-finish.ts';
import type { PlannedFailoverParts } from '../../../lib/bridge/failover/planned-steps.ts';
import { OrdersUnderWay } from '../../../lib/loop/orders-under-way.ts';
import type { RoleAnswer } from '../../../lib/model/sentinel.ts';
import { at, record } from '../plan/world.ts';

const before = record('A', { epoch: 5, replicas: [at('B')] });
const to = record('B', { epoch: 6, phase: 'promoted', replicas: [at('A')] });

/** The commands beside INFO after a promotion that no majority confirms, if the old master has this role. */
async function failToConfirm(role: RoleAnswer['role'], manner: 'coordinated' | 'paused') {
  const commands: string[] = [];
  const command = async (_address: unknown, asked: readonly string[][]) =>
    asked.map((one) => {
      if (one[0] !== 'INFO') commands.push(one.join(' '));
      return one[0] === 'INFO' ? '' : 'OK';
    });
  const redis = { command, role: async (address: unknown) => ({ address, role }) };
  const { ends } = new OrdersUnderWay();
  const parts = { redis, memory: { record: to, whenRemembered: async () => undefined }, ends };
  const course = new PlannedCourse('m', parts as unknown as PlannedFailoverParts, {});
  const finished = finishPlanned(course, before, { to, manner, offset: undefined });
  await t.rejects(finished, { code: 'failover-stalled', message: /no majority of the Sentinels confirmed it/ });
  return commands;
}

t.test('a coordinated failover that is not confirmed leaves no pause at an old master that is a replica', async (t) => {
  t.strictSame(await failToConfirm('replica', 'coordinated'), ['CLIENT UNPAUSE']);
});

t.test('one that is a master, or does not answer, stays paused', async (t) => {
  t.strictSame(await failToConfirm('master', 'coordinated'), []);
  t.strictSame(await failToConfirm('unreachable', 'coordinated'), []);
});

t.test('the bridge leaves the end of its own pause to the fence', async (t) => {
  t.strictSame(await failToConfirm('replica', 'paused'), []);
});
