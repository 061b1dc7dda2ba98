import t, { type Test } from 'tap';
import type { FenceReport } from '../../../lib/bridge/fencing/enforcement.ts';
import { Fencer } from '../../../lib/bridge/fencing/fencer.ts';
import { RedisPool } from '../../../lib/client/redis-pool.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { RespConnection } from '../../sandbox/resp.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { at } from '../plan/world.ts';

const sandbox = await Sandbox.openFor(t, { name: 'disconnect' });
const { master: old } = await sandbox.redis({ name: 'old', replicas: 0 });
const change = { from: old.address, to: at('A') };

/** A fencer, its reports, and a client of the old master. */
async function start(t: Test, settings: { readonly fence: 'demote' | 'pause'; readonly maintenance?: string }) {
  const redis = new RedisPool({});
  t.teardown(() => redis.close());
  redis.keep('m', [old.address]);
  await waitFor('a connection', () => redis.role(old.address, { timeoutMs: 500 }), {
    until: ({ role }) => role === 'master',
  });
  const reports: FenceReport[] = [];
  const onReport = (report: FenceReport) => reports.push(report);
  const { fence, maintenance } = settings;
  const fencer = new Fencer({ redis, settings: { fence }, whyNot: () => maintenance, onReport });
  const client = await RespConnection.open(old.address);
  t.teardown(() => client.close());
  const actions = () => reports.map(({ action }) => action);
  return { fencer, reports, actions, client };
}

t.test(
  'a client whose write is delayed, and one that reads, lose their connections; a subscriber keeps it',
  async (t) => {
    const { fencer, reports, client } = await start(t, { fence: 'demote' });
    const [writer, subscriber] = [await RespConnection.open(old.address), await RespConnection.open(old.address)];
    await subscriber.command('SUBSCRIBE', 'c');
    await fencer.changeMaster('m', change);
    const writing = writer.command('SET', 'k', 'v').then(
      () => 'answered',
      (error: Error) => error.message,
    );
    await fencer.disconnectClients('m', change);
    t.match(await writing, /closed the connection/);
    await waitFor('the reader to be disconnected', () => client.closed);
    t.notOk(subscriber.closed);
    t.match(reports.at(-1), { action: 'disconnect', address: formatAddress(old.address), error: undefined });
    subscriber.close();
  },
);

t.test('nobody is disconnected', async (t) => {
  const cases = {
    'where the old master was not paused for this change': { settings: { fence: 'demote' }, to: at('B') },
    'in the mode pause': { settings: { fence: 'pause' }, to: change.to },
    'in maintenance': { settings: { fence: 'demote', maintenance: 'm is in maintenance' }, to: change.to },
  } as const;
  for (const [name, { settings, to }] of Object.entries(cases)) {
    const { fencer, actions, client } = await start(t, settings);
    await fencer.changeMaster('m', { from: old.address, to });
    await fencer.disconnectClients('m', change);
    t.notOk(actions().includes('disconnect'), name);
    t.equal(await client.command('PING'), 'PONG', name);
  }
});

t.test('a refusal is reported', async (t) => {
  const { fencer, reports } = await start(t, { fence: 'demote' });
  await fencer.changeMaster('m', change);
  await old.command('ACL', 'SETUSER', 'default', '-client|kill');
  await fencer.disconnectClients('m', change);
  t.match(reports.at(-1), { action: 'disconnect', error: { code: 'redis-denied' } });
});
