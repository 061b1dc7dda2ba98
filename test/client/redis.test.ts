import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import t, { type Test } from 'tap';
import { RedisLink } from '../../lib/client/redis.ts';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from '../sandbox/condition.ts';
import { Sandbox } from '../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'redis-link' });
const shard = await sandbox.redis({ name: 'shard', password: 'secret' });
const [replica] = shard.replicas;
if (replica === undefined) throw new Error('the shard has no replica');
const timeoutMs = 2_000;
const access = { password: 'secret' };

function link(t: Test, address: Address, credentials: { password?: string } = access): RedisLink {
  const made = new RedisLink(address, credentials);
  t.teardown(() => made.close());
  return made;
}

t.test('ROLE distinguishes masters from replicas', async (t) => {
  t.match(await link(t, shard.master.address).role({ timeoutMs }), { address: shard.master.address, role: 'master' });
  t.match(await link(t, replica.address).role({ timeoutMs }), { role: 'replica' });
});

t.test('a refused login counts as unreachable, with the reason', async (t) => {
  const answer = await link(t, shard.master.address, { password: 'wrong' }).role({ timeoutMs });
  t.match(answer, { role: 'unreachable', error: /WRONGPASS|NOAUTH/ });
  t.notMatch(answer.error, /wrong'/);
});

t.test('an address without a listener is unreachable at once', async (t) => {
  const nobody = link(t, await sandbox.address());
  const startedMs = performance.now();
  t.match(await nobody.role({ timeoutMs }), { role: 'unreachable', error: /ECONNREFUSED/ });
  t.match(await nobody.role({ timeoutMs }), { role: 'unreachable' });
  t.ok(performance.now() - startedMs < timeoutMs);
});

t.test('a paused server is unreachable after the timeout, and a master again when it resumes', async (t) => {
  const paused = link(t, shard.master.address);
  await paused.role({ timeoutMs });
  shard.master.pause();
  t.match(await paused.role({ timeoutMs: 50 }), { role: 'unreachable', error: /within 50 ms/ });
  shard.master.resume();
  await waitFor('it to answer', () => paused.role({ timeoutMs }), { until: ({ role }) => role === 'master' });
});

t.test('a server that comes back is asked at once, without waiting for a timer', async (t) => {
  const back = link(t, replica.address);
  t.match(await back.role({ timeoutMs }), { role: 'replica' });
  await replica.kill();
  await waitFor('the link to break', () => back.role({ timeoutMs }), { until: ({ role }) => role === 'unreachable' });
  await replica.restart();
  t.match(await back.role({ timeoutMs }), { role: 'replica' });
});

t.test('a silent connection is replaced after one unanswered command', async (t) => {
  const address = await sandbox.address();
  const server = await silentOnce(address);
  t.teardown(() => server.close());
  const silent = link(t, address, {});
  t.match(await silent.role({ timeoutMs: 50 }), { role: 'unreachable' });
  t.match(await silent.role({ timeoutMs }), { role: 'master' });
});

t.test('a connection that breaks before the reply counts as unreachable, and not as a refusal', async (t) => {
  const address = await sandbox.address();
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.destroy());
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const broken = link(t, address, {});
  const answer = () => broken.callNow([['ROLE']], { timeoutMs }).catch((error: unknown) => error);
  const error = await waitFor('the command to be sent', answer, { until: (one) => !/was not sent/.test(String(one)) });
  t.match(error, { code: 'redis-unreachable', message: /ROLE at .* got no answer/ });
});

t.test('a closed link leaves no timer, however often a dead server was asked', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const dead = new RedisLink(await sandbox.address(), {});
  for (let n = 0; n < 30; n += 1) await dead.role({ timeoutMs });
  dead.close();
  const after = await waitFor('all timers to be gone', timers, { until: (count) => count <= before + 1 });
  t.ok(after <= before + 1);
});

/** A server that never answers its first connection. To any other it answers as a master. */
async function silentOnce(address: Address): Promise<Server> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const answers = connections > 1;
    socket.on('error', () => {});
    socket.on('data', () => {
      if (answers) socket.write('*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n');
    });
  });
  server.listen(address.port, address.host);
  await once(server, 'listening');
  return server;
}
