import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import { redisCli } from './resp.ts';
import { Sandbox } from './sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'proxy' });
const shard = await sandbox.redis({ name: 'shard1' });
const [replica] = shard.replicas;
if (replica === undefined) throw new Error('the shard has no replica');

const runCommand = ([file, ...args]: string[]) => promisify(execFile)(file ?? '', args, { timeout: 10_000 });
const isReplica = async (address: Parameters<typeof redisCli>[0]) => {
  const role = await redisCli(address, ['ROLE']);
  return Array.isArray(role) && role[0] === 'slave';
};

t.test('HAProxy takes over a new config by its reload command', async (t) => {
  const listen = await sandbox.address();
  const config = (server: string) => `
global
  stats socket ${sandbox.path('haproxy.sock')} level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1m
  timeout server 1m
listen shard1
  bind ${formatAddress(listen)}
  server shard1 ${server}
`;
  const configFile = sandbox.path('haproxy.cfg');
  const haproxy = await sandbox.haproxy({ configFile, listen, start: 'later' });
  sandbox.write('haproxy.cfg', config(formatAddress(shard.master.address)));
  await runCommand(haproxy.reloadCommand);
  t.equal(haproxy.running, true, 'the command starts what does not run');
  t.equal(await isReplica(listen), false);
  sandbox.write('haproxy.cfg', config(formatAddress(replica.address)));
  await runCommand(haproxy.reloadCommand);
  await waitFor('connections to reach the replica', () => isReplica(listen));
  sandbox.write('haproxy.cfg', 'no such keyword\n');
  await t.rejects(runCommand(haproxy.reloadCommand), { code: 1, stderr: /refused the config/ });
  t.equal(await isReplica(listen), true, 'it runs on');
});

t.test('twemproxy takes over a new config by its restart command', async (t) => {
  const listen = await sandbox.address();
  const config = (server: string) => `
shard1:
  listen: ${formatAddress(listen)}
  redis: true
  hash: fnv1a_64
  distribution: ketama
  servers:
  - ${server}:1 shard1
`;
  const configFile = sandbox.write('nutcracker.yml', config(formatAddress(shard.master.address)));
  const twemproxy = await sandbox.nutcracker({ configFile, listen });
  t.equal(await redisCli(listen, ['SET', 'key', 'old master']), 'OK');
  sandbox.write('nutcracker.yml', config(formatAddress(replica.address)));
  await runCommand(twemproxy.restartCommand);
  await t.rejects(redisCli(listen, ['SET', 'key', 'value']), /READONLY/);
});

t.test('a command runs its action here and fails with the reason when the action does', async (t) => {
  let calls = 0;
  const good = await sandbox.command('count', async () => {
    calls += 1;
  });
  await runCommand(good);
  t.equal(calls, 1);
  const bad = await sandbox.command('refuse', () => Promise.reject(new Error('not today')));
  await t.rejects(runCommand(bad), { code: 1, stderr: /not today/ });
});
