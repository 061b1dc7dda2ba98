import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import { redisCli } from './resp.ts';
import { Sandbox } from './sandbox.ts';

t.test('Sentinel monitors simulated servers, fails over between them, and sees one stop', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'simulated' });
  const redis = await sandbox.simulatedRedis({ masters: 3, hosts: 2 });
  const [sentinel] = await sandbox.sentinels({ masters: redis.shards, introduced: true });
  const [moved, stopped] = redis.shards;
  if (sentinel === undefined || moved === undefined || stopped === undefined)
    throw new Error('all of them were started');
  const [successor, survivor] = [moved, stopped].map(({ replicas }) => replicas[0]?.address);
  const recorder = await sentinel.record();

  await waitFor('the order', () => sentinel.command('SENTINEL', 'FAILOVER', moved.name));
  await redis.stopAt(stopped.master.address);
  await Promise.all([moved, stopped].map(({ name }) => recorder.event('+switch-master', { master: name })));
  t.strictSame(await sentinel.masterAddress(moved.name), successor);
  t.strictSame(await sentinel.masterAddress(stopped.name), survivor);

  const { host, port } = successor ?? {};
  const [role, , replicas] = (await redisCli(moved.replicas[0]?.address ?? moved.master.address, [
    'ROLE',
  ])) as unknown[];
  t.equal(role, 'master', `${host}:${port}`);
  t.strictSame(replicas, [], 'Sentinel has not made the former master its replica yet');
  const socket = connect(stopped.replicas[0]?.address ?? stopped.master.address).end('PING\r\n');
  t.equal(String(await once(socket, 'data')), '+PONG\r\n', 'an inline command');
  const confused = connect(stopped.replicas[0]?.address ?? stopped.master.address).end('"half a quote\r\n');
  t.equal(String(await once(confused, 'data')), '-ERR Protocol error: unbalanced quotes in request\r\n');
  await redis.startAt(stopped.master.address);
  const restarted = (await redisCli(stopped.master.address, ['ROLE'])) as unknown[];
  t.equal(restarted[0], 'master', `${formatAddress(stopped.master.address)} has the role that it had`);
});
