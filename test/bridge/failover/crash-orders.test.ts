import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { CrashOrders, type CrashOrdersOptions } from '../../../lib/bridge/failover/crash-orders.ts';
import type { CrashReport } from '../../../lib/bridge/failover/crash-report.ts';
import { MasterMemory } from '../../../lib/bridge/memory.ts';
import type { SentinelReading } from '../../../lib/bridge/observe/sentinel-reading.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { record, view } from '../plan/world.ts';

/** An address where nobody listens any more. */
async function closedAddress() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return { host: '127.0.0.1', port };
}

/** A master `m` that is gone, in maintenance. `readings` is what the Sentinels answer about it. */
async function start(t: Test, readings: readonly SentinelReading[] = []) {
  const master = await closedAddress();
  const memory = new MasterMemory();
  memory.trust({ ...record('A'), name: 'm', master });
  const reports: CrashReport[] = [];
  const world = { maintenance: 'm is in maintenance: by ops' as string | undefined, reads: 0, proofsEnded: 0 };
  const parts = {
    sentinels: {
      read: async () => {
        world.reads += 1;
        return readings;
      },
      count: () => 3,
    },
    evidence: {
      stop: async () => {},
      publish: async () => {},
      withdraw: async () => {
        world.proofsEnded += 1;
      },
      bridges: () => [],
    },
    lags: { lag: () => undefined },
    memory: () => memory,
    records: () => [],
    localMasters: () => [],
    bridgeId: 'bridge',
    crashAfterMs: 60,
    steering: { enter: async () => ({ kind: 'full', holders: 1 }) },
    maintenance: { whyNot: () => world.maintenance },
    onReport: (report: CrashReport) => reports.push(report),
  };
  const orders = new CrashOrders(parts as unknown as CrashOrdersOptions);
  t.teardown(() => orders.stop());
  return { orders, master, reports, world };
}

/** A Sentinel that sees the master objectively down, and begins no election. */
function waiting(failoverTimeoutMs: number): SentinelReading {
  const seen = view(1, 'A', 5, { condition: 'o_down', downForMs: 10_000, linked: false, failoverTimeoutMs });
  return { kind: 'seen', sentinel: seen.sentinel, sentinelId: seen.sentinelId, view: seen };
}

t.test('a crash that was found within maintenance is judged again when it has ended', async (t) => {
  const { orders, master, reports, world } = await start(t);
  const found = () => {
    // A process that did not run for a moment has no proof: the next close begins another case.
    if (reports.length === 0) orders.connectionClosed(master, ['m']);
    return reports;
  };
  const [first] = await waitFor('the report', found, { until: ({ length }) => length > 0 });
  t.match(first, { name: 'm', sentinel: undefined, why: 'm is in maintenance: by ops' });
  const shown = await waitFor('the crash', () => orders.unordered('m'), { until: (crash) => crash !== null });
  t.match(shown, { address: master, why: 'm is in maintenance: by ops', at: /^\d{4}-/ });
  t.equal(orders.unordered('another'), null);
  const before = world.reads;
  orders.maintenanceEnded('another');
  world.maintenance = undefined;
  const judged = () => {
    orders.maintenanceEnded('m');
    return world.reads;
  };
  await waitFor('the Sentinels to be asked again', judged, { until: (count) => count > before });
  await orders.stop();
  orders.connected(master, ['m']);
  t.equal(orders.unordered('m'), null, 'a process that accepts connections has not crashed');
});

t.test('an election that fails while a crash is judged counts, whatever else happens then', async (t) => {
  const { orders, master, reports } = await start(t, [waiting(60_000)]);
  const found = () => {
    // While no election has failed, the crash is left to the Sentinels, without a report.
    orders.connectionClosed(master, ['m']);
    orders.electionFailed('m');
    orders.maintenanceEnded('m');
    orders.connectionClosed(master, ['m']);
    return reports;
  };
  const [first] = await waitFor('the report', found, { until: ({ length }) => length > 0 });
  t.match(first, { name: 'm', why: 'm is in maintenance: by ops' });
});

t.test('an election that failed counts for less than failover-timeout', async (t) => {
  const failoverTimeoutMs = 500;
  const { orders, master, reports, world } = await start(t, [waiting(failoverTimeoutMs)]);
  const closed = () => {
    if (world.proofsEnded === 0) orders.connectionClosed(master, ['m']);
    return world.proofsEnded;
  };
  await waitFor('the case to end', closed, { until: (count) => count > 0 });
  t.strictSame(reports, [], 'left to the Sentinels');
  let failedMs = 0;
  const found = () => {
    failedMs = performance.now();
    if (reports.length === 0) orders.electionFailed('m');
    return reports;
  };
  await waitFor('the report', found, { until: ({ length }) => length > 0 });
  await waitFor('failover-timeout', () => performance.now() - failedMs > 2 * failoverTimeoutMs);
  const { length } = reports;
  const before = world.proofsEnded;
  const judged = () => {
    orders.maintenanceEnded('m');
    return world.proofsEnded;
  };
  await waitFor('another case to end', judged, { until: (count) => count > before });
  t.equal(reports.length, length, 'left to the Sentinels again');
});
