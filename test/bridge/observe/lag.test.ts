import t, { type Test } from 'tap';
import { LagSource } from '../../../lib/bridge/observe/lag.ts';
import { LagHistory } from '../../../lib/bridge/plan/lag.ts';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { waitFor } from '../../sandbox/condition.ts';

const master: Address = { host: '10.0.0.5', port: 6379 };
const replica: Address = { host: '10.0.0.6', port: 6379 };
const record = { name: 'shard1', master, replicas: [replica] } as unknown as MasterRecord;

/** A source of lags, and the servers that it has asked. */
function measure(t: Test, answers: Readonly<Record<string, readonly unknown[]>>) {
  const asked: string[] = [];
  const redis = {
    command: async (address: Address) => {
      asked.push(formatAddress(address));
      return [answers[formatAddress(address)]];
    },
  };
  const source = new LagSource({ redis, records: () => [record], makeKeeper: () => new LagHistory() });
  t.teardown(() => source.close());
  source.start();
  return { asked, source, lag: () => source.lag('shard1', replica, 'cached') };
}

const known = { until: (lag: unknown) => lag !== undefined, timeoutMs: 20_000 };

t.test('a master says how far its replicas are, so nobody asks them', async (t) => {
  const listing = ['master', 100, [['10.0.0.6', '6379', '90']]];
  const { asked, lag } = measure(t, { '10.0.0.5:6379': listing });
  t.match(await waitFor('a measurement', lag, known), { bytes: 10 });
  t.strictSame(asked, ['10.0.0.5:6379']);
});

t.test('a replica that its master lists by another address is asked itself', async (t) => {
  const { asked, lag } = measure(t, {
    '10.0.0.5:6379': ['master', 100, [['172.17.0.2', '6379', '90']]],
    '10.0.0.6:6379': ['slave', '10.0.0.5', 6379, 'connected', 95],
  });
  t.match(await waitFor('a measurement', lag, known), { bytes: 5 });
  t.strictSame(asked, ['10.0.0.5:6379', '10.0.0.6:6379']);
});

t.test('while somebody wants the lag, a replica says itself how far it is', async (t) => {
  const { source, lag } = measure(t, {
    '10.0.0.5:6379': ['master', 100, [['10.0.0.6', '6379', '90']]],
    '10.0.0.6:6379': ['slave', '10.0.0.5', 6379, 'connected', 95],
  });
  await waitFor('a measurement', lag, known);
  source.lag('shard1', replica, 'measure');
  t.match(await waitFor('its own answer', lag, { until: (lag) => lag?.bytes === 5, timeoutMs: 20_000 }), { bytes: 5 });
});
