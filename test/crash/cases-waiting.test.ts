import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { CrashDecision } from '../../lib/model/crash.ts';
import { waitFor } from '../sandbox/condition.ts';
import { openCases } from './cases-world.ts';

const order: CrashDecision<string> = { kind: 'order', target: 'replica' };

t.test('a failover that another bridge has ordered is counted once, however often its crash is judged', async (t) => {
  const { world, cases, master } = await openCases(t, () => ({ kind: 'leave', why: 'a Sentinel fails over' }));
  Object.assign(world, { settlesMs: 60_000, orderedBy: 'another' });
  cases.close('m', () => ({ master, note: 'm' }));
  await waitFor('two judgements', () => world.begun, { until: (begun) => begun > 2 });
  t.equal(world.settling, 1);
});

t.test('a failover counts as under way if the server did not answer the order', async (t) => {
  const { world, close } = await openCases(t, () => order);
  Object.assign(world, { settlesMs: 60_000, orderFails: new SwitchmasterError('redis-timeout', 'no answer') });
  close();
  await waitFor('the order', () => world.settling === 1);
});

t.test('a master that came back and crashed again while its crash waited is judged by what is known now', async (t) => {
  const { world, cases, master } = await openCases(t, (name) =>
    name === 'm' ? order : { kind: 'wait', end: 'contradicted', why: 'not yet' },
  );
  for (let i = 0; i < 16; i += 1) cases.close(`${i}`, () => ({ master, note: `${i}` }));
  await waitFor('all places to be taken', () => world.judging === 16);
  cases.close('m', () => ({ master, note: 'm' }));
  await waitFor('its turn', () => world.begun === 17);
  cases.connected('m');
  cases.close('m', () => undefined);
  await waitFor('another case', () => world.again.length > 0);
  t.strictSame([world.again, world.judged], [['m'], []]);
});
