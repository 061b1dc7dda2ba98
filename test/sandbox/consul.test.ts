import t from 'tap';
import { waitFor } from './condition.ts';
import { Sandbox } from './sandbox.ts';

t.test('two sandboxes run side by side, and closing one leaves the other alone', async (t) => {
  const [left, right] = await Promise.all([
    Sandbox.openFor(t, { name: 'left' }),
    Sandbox.openFor(t, { name: 'right' }),
  ]);
  const [leftConsul, rightConsul] = await Promise.all([left.consul(), right.consul()]);
  await leftConsul.putKey('side', 'left');
  await rightConsul.putKey('side', 'right');
  t.equal(await leftConsul.key('side'), 'left');
  await left.close();
  await t.rejects(leftConsul.key('side'));
  t.equal(await rightConsul.key('side'), 'right');
});

t.test('a dev agent answers DNS with addresses and ports, and nothing for unknown names', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'dns' });
  const consul = await sandbox.consul();
  await consul.put('/v1/agent/service/register', { Name: 'redis', Address: '127.1.2.3', Port: 6379 });
  t.strictSame(await consul.dnsA('redis.service.consul'), ['127.1.2.3']);
  const [answer, ...more] = await consul.dnsSrv('redis.service.consul');
  t.equal(answer?.port, 6379);
  t.strictSame(more, []);
  t.strictSame(await consul.dnsA('nothing.service.consul'), []);
});

t.test('three servers keep their data over a kill of all, and a client agent finds them again', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'three' });
  const servers = await sandbox.consulServers();
  const client = await sandbox.consulClient({ join: servers });
  await client.putKey('kept/a b', 'yes');
  await Promise.all(servers.map((server) => server.kill()));
  await t.rejects(client.key('kept/a b'));
  await Promise.all(servers.map((server) => server.start()));
  await waitFor('the key through the client agent', () => client.key('kept/a b'), {
    until: (value) => value === 'yes',
  });
});

t.test('a paused agent answers nothing from that moment on', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'paused' });
  const consul = await sandbox.consul();
  for (let round = 0; round < 20; round += 1) {
    consul.pause();
    const answered = await fetch(`${consul.url}/v1/status/leader`, { signal: AbortSignal.timeout(20) }).then(
      () => true,
      () => false,
    );
    t.notOk(answered);
    consul.resume();
    await consul.key('any');
  }
});

t.test('an agent with a config that Consul refuses fails to start with the reason from its log', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'refused' });
  await t.rejects(sandbox.consul({ config: { no_such_setting: 1 } }), /it ended \(exit code 1\)[\s\S]*no_such_setting/);
});
