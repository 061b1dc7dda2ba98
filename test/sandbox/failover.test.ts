import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import { RespError, redisCli } from './resp.ts';
import { Sandbox } from './sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'switch' });
const shard1 = await sandbox.redis({ name: 'shard1' });
const shard2 = await sandbox.redis({ name: 'shard2', password: 'secret' });
const sentinels = await sandbox.sentinels({ masters: [shard1, shard2] });
const [first, second, third] = sentinels;
const [replica] = shard1.replicas;
if (first === undefined || second === undefined || third === undefined || replica === undefined) {
  throw new Error('the sandbox is smaller than asked for');
}

t.test('every server has an address of its own', async (t) => {
  const addresses = [...shard1.servers, ...shard2.servers, ...sentinels].map(({ address }) => address);
  t.equal(new Set(addresses.map(({ host }) => host)).size, 7);
  t.equal(new Set(addresses.map(({ port }) => port)).size, 7);
});

t.test('Sentinels and replicas are known by the addresses they listen on', async (t) => {
  const told = await first.command('SENTINEL', 'SENTINELS', 'shard1');
  t.match(JSON.stringify(told), second.address.host);
  t.match(JSON.stringify(told), third.address.host);
  const replicas = await first.replicaInfos('shard1');
  t.strictSame(
    replicas.map(({ ip, port }) => `${ip}:${port}`),
    shard1.replicas.map(({ address }) => formatAddress(address)),
  );
});

t.test('a shard with a password refuses who does not know it', async (t) => {
  t.equal(await shard2.master.role(), 'master');
  await t.rejects(
    redisCli(shard2.master.address, ['GET', 'key']).then(() => undefined),
    RespError,
  );
});

t.test('a master killed with SIGKILL makes the Sentinels switch, and comes back as a replica', async (t) => {
  const recorder = await first.record();
  t.teardown(() => recorder.close());
  await shard1.master.kill();
  t.equal(shard1.master.running, false);
  const { host, port } = replica.address;
  const event = await recorder.event('+switch-master', { master: 'shard1' });
  t.equal(event.payload, `shard1 ${shard1.master.address.host} ${shard1.master.address.port} ${host} ${port}`);
  await Promise.all(
    sentinels.map((sentinel) =>
      waitFor(`${sentinel.name} to have switched`, () => sentinel.masterAddress('shard1'), {
        until: (address) => address.port === port,
      }),
    ),
  );
  t.equal(await replica.role(), 'master');
  await shard1.master.restart();
  await waitFor('the old master to follow the new one', () => shard1.master.role(), {
    until: (role) => role === 'replica',
    timeoutMs: 20_000,
  });
  t.equal(shard1.at(replica.address), replica);
});

t.test('a Sentinel that restarts keeps what it knows', async (t) => {
  const before = await second.masterAddress('shard2');
  await second.kill();
  await second.restart();
  t.strictSame(await second.masterAddress('shard2'), before);
  await waitFor('its peers', async () => (await second.masterInfo('shard2'))['num-other-sentinels'], {
    until: (others) => others === '2',
  });
});

t.test('a paused server answers nothing until it is resumed', async (t) => {
  const { master } = shard2;
  master.pause();
  await t.rejects(
    master.command('PING').then(() => undefined),
    /did not answer|no connection/,
  );
  master.resume();
  t.equal(await master.command('PING'), 'PONG');
});
