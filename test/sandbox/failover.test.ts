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
  const answers = await first.command('SENTINEL', 'SENTINELS', 'shard1');
  t.match(JSON.stringify(answers), second.address.host);
  t.match(JSON.stringify(answers), third.address.host);
  const replicas = await first.replicaInfos('shard1');
  t.strictSame(
    replicas.map(({ ip, port }) => `${ip}:${port}`),
    shard1.replicas.map(({ address }) => formatAddress(address)),
  );
});

t.test('a shard with a password refuses clients without it', async (t) => {
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
  const event = await recorder.event('+switch-master', { master: 'shard1' });
  const [from, to] = [shard1.master.address, replica.address];
  t.equal(event.payload, `shard1 ${from.host} ${from.port} ${to.host} ${to.port}`);
  // A Sentinel makes an old master a replica after it has seen it for some time, by these two periods.
  await Promise.all(
    sentinels.map((sentinel) => sentinel.command('SENTINEL', 'DEBUG', 'publish-period', 500, 'info-period', 500)),
  );
  await shard1.master.restart();
  // Either of the two may be master in the end: on a busy machine there may have been another election.
  const { agreed } = await waitFor('the Sentinels to agree and the other server to be a replica', view, {
    timeoutMs: 30_000,
    until: (seen) => seen.agreed.size === 1 && seen.masters.length === 1 && seen.agreed.has(seen.masters[0] ?? ''),
  });
  t.equal(agreed.size, 1);
});

async function view(): Promise<{ agreed: Set<string>; masters: string[] }> {
  const answers = await Promise.all(sentinels.map((sentinel) => sentinel.masterAddress('shard1')));
  const roles = await Promise.all(shard1.servers.map(async (server) => ({ server, role: await server.role() })));
  const masters = roles.filter(({ role }) => role === 'master').map(({ server }) => formatAddress(server.address));
  return { agreed: new Set(answers.map(formatAddress)), masters };
}

t.test('a Sentinel that restarts keeps its state', async (t) => {
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
