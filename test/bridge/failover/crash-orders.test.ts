import { once } from 'node:events';
import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { CrashOrders, type CrashOrdersOptions } from '../../../lib/bridge/failover/crash-orders.ts';
import type { CrashReport } from '../../../lib/bridge/failover/crash-report.ts';
import { MasterMemory } from '../../../lib/bridge/memory.ts';
import type { SentinelReading } from '../../../lib/bridge/observe/sentinel-reading.ts';
import type { Address } from '../../../lib/model/address.ts';
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
  memory.noteReadings(readings, new Date());
  const world = {
    maintenance: 'm is in maintenance: by ops' as string | undefined,
    ...{ reads: 0, proofsEnded: 0 },
    /** Called when a proof is withdrawn. */
    onWithdraw: () => {},
  };
  const parts = {
    redis: {
      connected: async () => {},
      // A master without keys, and replicas with some.
      command: async (_: Address, [first]: readonly (readonly string[])[]) =>
        first?.[0] === 'INFO'
          ? ['run_id:after\r\nrole:master\r\nloading:0\r\naof_enabled:0\r\n']
          : [['slave', master.host, master.port, 'connected', 1], 'db0:keys=3,expires=0,avg_ttl=0\r\n'],
    },
    sentinels: {
      read: async () => {
        world.reads += 1;
        return readings;
      },
      count: () => 3,
    },
    evidence: {
      follow: () => () => {},
      stop: async () => {},
      publish: async () => {},
      withdraw: async () => {
        world.proofsEnded += 1;
        world.onWithdraw();
      },
      bridges: () => [],
      lastOrder: async () => ({ ageMs: undefined, by: undefined, index: 0 }),
      orderIndex: () => 0,
      orderedElsewhere: async () => undefined,
      isSeenElsewhere: () => false,
    },
    lags: { lag: () => undefined },
    memory: () => memory,
    records: () => [],
    localMasters: () => [],
    bridgeId: 'bridge',
    crashAfterMs: 60,
    steering: { enter: async () => ({ kind: 'full', holders: 1 }) },
    maintenance: { whyNotOnCrash: () => world.maintenance },
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

t.test('a master that came back without its keys has not crashed', async (t) => {
  const before = view(1, 'A', 5, { masterRunId: 'before' });
  const reading: SentinelReading = {
    ...{ kind: 'seen', sentinel: before.sentinel, sentinelId: before.sentinelId, view: before },
  };
  const { orders, master, reports } = await start(t, [reading]);
  const server = createServer((socket) => socket.on('error', () => undefined).resume());
  server.listen(master.port, master.host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  orders.connectionClosed(master, ['m']);
  const [first] = await waitFor('the report', () => reports, { until: ({ length }) => length > 0 });
  t.match(first, { name: 'm', sign: 'emptied', why: 'm is in maintenance: by ops' });
  await orders.stop();
  t.equal(orders.unordered('m'), null);
});

t.test('a master that is connected while its case ends has not crashed', async (t) => {
  const { orders, master, reports, world } = await start(t);
  world.onWithdraw = () => orders.connected(master, ['m']);
  const found = () => {
    if (reports.length === 0) orders.connectionClosed(master, ['m']);
    return reports;
  };
  const [first] = await waitFor('the report', found, { until: ({ length }) => length > 0 });
  t.match(first, { sign: 'refused', why: 'm is in maintenance: by ops' });
  await orders.stop();
  t.equal(orders.unordered('m'), null);
});

t.test('an election that fails while a crash is judged counts, whatever else happens then', async (t) => {
  const { orders, master, reports } = await start(t, [waiting(60_000)]);
  const found = () => {
    // While no election has failed, the crash is left to the Sentinels.
    orders.connectionClosed(master, ['m']);
    orders.electionFailed('m');
    orders.maintenanceEnded('m');
    orders.connectionClosed(master, ['m']);
    return reports.filter(({ kind }) => kind !== 'others-act');
  };
  const [first] = await waitFor('the report', found, { until: ({ length }) => length > 0 });
  t.match(first, { name: 'm', kind: 'maintenance', why: 'm is in maintenance: by ops' });
});

t.test('an election that failed counts for less than failover-timeout', async (t) => {
  const failoverTimeoutMs = 500;
  const { orders, master, reports, world } = await start(t, [waiting(failoverTimeoutMs)]);
  const closed = () => {
    if (world.proofsEnded === 0) orders.connectionClosed(master, ['m']);
    return world.proofsEnded;
  };
  await waitFor('the case to end', closed, { until: (count) => count > 0 });
  const kinds = () => reports.map(({ kind }) => kind);
  t.strictSame(kinds(), ['others-act'], 'left to the Sentinels');
  let failedMs = 0;
  const found = () => {
    failedMs = performance.now();
    if (reports.length === 1) orders.electionFailed('m');
    return kinds();
  };
  await waitFor('the report', found, { until: ({ length }) => length > 1 });
  await waitFor('failover-timeout', () => performance.now() - failedMs > 2 * failoverTimeoutMs);
  const before = world.proofsEnded;
  const judged = () => {
    orders.maintenanceEnded('m');
    return world.proofsEnded;
  };
  await waitFor('another case to end', judged, { until: (count) => count > before });
  t.strictSame(kinds(), ['others-act', 'maintenance'], 'left to the Sentinels again: one entry for each end');
});
