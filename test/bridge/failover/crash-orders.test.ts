import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { CrashOrders, type CrashOrdersOptions } from '../../../lib/bridge/failover/crash-orders.ts';
import type { CrashReport } from '../../../lib/bridge/failover/crash-report.ts';
import { MasterMemory } from '../../../lib/bridge/memory.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { record } from '../plan/world.ts';

/** An address where nobody listens any more. */
async function closedAddress() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port };
}

t.test('a crash that was found within maintenance is judged again when it has ended', async (t) => {
  const master = await closedAddress();
  const memory = new MasterMemory();
  memory.trust({ ...record('A'), name: 'm', master });
  const reports: CrashReport[] = [];
  let maintenance: string | undefined = 'm is in maintenance: by ops';
  let reads = 0;
  const parts = {
    sentinels: {
      read: async () => {
        reads += 1;
        return [];
      },
      count: () => 3,
    },
    evidence: { stop: async () => {}, publish: async () => {}, withdraw: async () => {}, bridges: () => [] },
    lags: { lag: () => undefined },
    memory: () => memory,
    records: () => [],
    localMasters: () => [],
    bridgeId: 'bridge',
    crashAfterMs: 60,
    steering: { enter: async () => ({ kind: 'full', holders: 1 }) },
    maintenance: { whyNot: () => maintenance },
    onReport: (report: CrashReport) => reports.push(report),
  };
  const orders = new CrashOrders(parts as unknown as CrashOrdersOptions);
  t.teardown(() => orders.stop());
  const found = () => {
    // A process that did not run for a moment has no proof: the next close begins another case.
    if (reports.length === 0) orders.connectionClosed(master, ['m']);
    return reports;
  };
  const [first] = await waitFor('the report', found, { until: ({ length }) => length > 0 });
  t.match(first, { name: 'm', sentinel: undefined, why: 'm is in maintenance: by ops' });
  const before = reads;
  orders.maintenanceEnded('another');
  maintenance = undefined;
  const judged = () => {
    orders.maintenanceEnded('m');
    return reads;
  };
  await waitFor('the Sentinels to be asked again', judged, { until: (count) => count > before });
});
