import t from 'tap';
import { HandOver } from '../../../lib/bridge/failover/handover.ts';
import type { PlannedFailoverParts } from '../../../lib/bridge/failover/planned-steps.ts';
import type { SentinelLink } from '../../../lib/client/sentinel.ts';
import { SwitchmasterError } from '../../../lib/errors.ts';
import { OrdersUnderWay } from '../../../lib/loop/orders-under-way.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { at, record } from '../plan/world.ts';

const five = record('A', { epoch: 5, replicas: [at('B')] });
const six = record('B', { epoch: 6, replicas: [at('A')] });
const late = new SwitchmasterError('redis-timeout', 'SENTINEL FAILOVER got no answer within 1000 ms');
const idle = 'role:master\r\nmaster_failover_state:no-failover\r\nmaster_replid:a\r\n';

/** What a coordinated failover ends with. `orders`: what the Sentinel answers; `says`: how its failover stands then. */
async function handOver(scene: {
  readonly orders: () => unknown;
  readonly says: readonly string[];
  readonly promotes?: boolean;
}) {
  const memory: { record: MasterRecord } = { record: five };
  const asked: string[] = [];
  const call = async ([command]: readonly string[]) => {
    if (command === 'FAILOVER') return scene.orders();
    if (scene.promotes) memory.record = six;
    return scene.says;
  };
  const answer = ([name, option]: readonly string[]) => {
    if (name === 'INFO') return option === 'replication' ? idle : '';
    asked.push(`${name} ${option}`);
    return 'OK';
  };
  const command = async (_address: unknown, commands: readonly string[][]) => commands.map(answer);
  const role = async (address: unknown) => ({ address, role: 'replica' });
  const openLink = () => ({ connected: async () => {}, callUnanswered: () => {}, close: () => {} });
  const { ends } = new OrdersUnderWay();
  const parts = { sentinels: { election: () => undefined }, redis: { command, role, openLink }, memory, ends };
  const steps: string[] = [];
  const options = {
    record: five,
    candidates: [at('B')],
    timeoutMs: 1_000,
    onOrdered: () => steps.push('ordered'),
    onStopped: () => steps.push('paused'),
  };
  const run = new HandOver('m', parts as unknown as PlannedFailoverParts, options);
  const result = await run.carryOut({ address: at('C'), call } as unknown as SentinelLink);
  return { result, steps, asked };
}

const reject = (error: Error) => () => Promise.reject(error);
const running = ['flags', 'master,failover_in_progress', 'failover-state', 'wait_promotion', 'link-pending-commands'];

t.test('an order without an answer in time counts as ordered', async (t) => {
  const { result, steps } = await handOver({ orders: reject(late), says: ['flags', 'master'], promotes: true });
  t.match(result, { kind: 'promoted', to: six });
  t.strictSame(steps, ['ordered', 'paused']);
});

t.test('a Sentinel that did not begin after such an order has given up', async (t) => {
  const { result, steps, asked } = await handOver({ orders: reject(late), says: ['flags', 'master'] });
  t.match(result, { kind: 'given-up' });
  t.strictSame(steps, ['ordered']);
  t.strictSame(asked, ['CLIENT UNPAUSE']);
});

t.test('a refused order changes nothing', async (t) => {
  const cause = Object.assign(new Error('INPROG Failover already in progress'), { name: 'ReplyError' });
  const { result, steps } = await handOver({
    orders: reject(new SwitchmasterError('redis-refused', 'x', { cause })),
    says: [],
  });
  t.match(result, { kind: 'given-up', why: /answers: INPROG/ });
  t.strictSame(steps, []);
});

t.test('a master that ignores FAILOVER is noticed without any message of the Sentinel', async (t) => {
  const { result } = await handOver({ orders: () => 'OK', says: [...running, '0'] });
  t.match(result, { kind: 'ignored', end: 'undone' });
});
