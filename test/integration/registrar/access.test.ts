import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { explainFault } from '../../../lib/model/link-fault.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { instanceOf, putRecordOf, startRegistrar, untilSays } from '../support/registering.ts';

// AUTH, ACL users and TLS on Redis and Sentinel; hostnames and NAT instead of addresses.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'access' });
const consul = await sandbox.consul();

/** A self-signed certificate for the name `switchmaster`. */
function makeCertificate(): { readonly cert: string; readonly key: string } {
  const [cert, key] = [sandbox.path('tls.crt'), sandbox.path('tls.key')];
  const subject = ['-subj', '/CN=switchmaster', '-addext', 'subjectAltName=DNS:switchmaster'];
  const options = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...options, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { cert, key };
}

t.test(
  'an ACL user with the least rights is enough, and missing rights show as such and not as a failure',
  async (t) => {
    const shard = await sandbox.redis({ name: 'users', replicas: 0 });
    const { address } = shard.master;
    await shard.master.command('ACL', 'SETUSER', 'checker', 'on', '>pass', '+info', '+role', '+config|get');
    await shard.master.command('ACL', 'SETUSER', 'nobody', 'on', '>pass', '-@all');
    await shard.master.command('ACL', 'SETUSER', 'default', 'off');
    const id = `redis-${formatAddress(address)}`;
    const first = startRegistrar(t, {
      consul,
      instances: [{ kind: 'redis', address, access: { username: 'checker', password: 'pass' } }],
    });
    await untilSays(consul, id, 'passing: answers');
    await first.stop();
    startRegistrar(t, {
      consul,
      instances: [{ kind: 'redis', address, access: { username: 'nobody', password: 'pass' } }],
    });
    await untilSays(consul, id, 'warning: answers, but refuses the credentials of this check');
  },
);

t.test('the checks work with TLS, certificates on both sides, users and passwords', async (t) => {
  const { cert, key } = makeCertificate();
  const { port } = await sandbox.address();
  const config = {
    'tls-port': String(port),
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-ca-cert-file': cert,
    'tls-auth-clients': 'yes',
  };
  const shard = await sandbox.redis({ name: 'secret', replicas: 0, password: 'pass', config });
  const [sentinel] = await sandbox.sentinels({ count: 1, masters: [shard], config });
  await sentinel?.command('ACL', 'SETUSER', 'checker', 'on', '>word', '+info', '+sentinel');
  await sentinel?.command('ACL', 'SETUSER', 'default', 'off');
  const at = (server: { readonly address: Address } | undefined): Address => ({
    host: server?.address.host ?? '',
    port,
  });
  const [redisAt, sentinelAt] = [at(shard.master), at(sentinel)];
  const [pem, secret] = [readFileSync(cert, 'utf8'), readFileSync(key, 'utf8')];
  const tls = { ca: pem, cert: pem, key: secret, serverName: 'switchmaster', verify: true };
  const first = startRegistrar(t, {
    consul,
    instances: [
      { kind: 'redis', name: 'secret', address: redisAt, access: { password: 'pass', tls } },
      { kind: 'sentinel', address: sentinelAt, access: { username: 'checker', password: 'word', tls } },
    ],
  });
  await untilSays(consul, `redis-${formatAddress(redisAt)}`, 'passing: answers');
  await untilSays(consul, `sentinel-${formatAddress(sentinelAt)}`, 'passing: answers');
  await first.stop();
  const { cert: _, key: __, ...unknown } = tls;
  for (const [what, wrong, fault] of [
    ['a server that is another', { ...tls, serverName: 'somebody-else' }, 'certificate-name'],
    ['a client that shows no certificate', unknown, 'client-certificate-missing'],
  ] as const) {
    const second = startRegistrar(t, {
      consul,
      instances: [{ kind: 'redis', name: 'secret', address: redisAt, access: { password: 'pass', tls: wrong } }],
    });
    await untilSays(consul, `redis-${formatAddress(redisAt)}`, `warning: ${explainFault(fault)}`);
    await second.stop();
    const third = startRegistrar(t, {
      consul,
      instances: [{ kind: 'redis', name: 'secret', address: redisAt, access: { password: 'pass', tls } }],
    });
    await untilSays(consul, `redis-${formatAddress(redisAt)}`, 'passing: answers');
    await third.stop();
    t.pass(what);
  }
});

t.test('an instance is registered at its announced address: a hostname, or one behind NAT', async (t) => {
  const [named, natted, cluster] = await Promise.all([
    sandbox.redis({ name: 'named', replicas: 0, config: { 'replica-announce-ip': 'redis1.example.org' } }),
    sandbox.redis({
      name: 'natted',
      replicas: 0,
      config: { 'replica-announce-ip': '192.0.2.7', 'replica-announce-port': '16379' },
    }),
    sandbox.redis({
      name: 'node',
      replicas: 0,
      config: {
        'cluster-enabled': 'yes',
        'cluster-announce-hostname': 'node1.example.org',
        'cluster-preferred-endpoint-type': 'hostname',
      },
    }),
  ]);
  const [sentinel] = await sandbox.sentinels({
    count: 1,
    name: 'announcing',
    masters: [],
    config: { 'sentinel announce-ip': '192.0.2.8' },
  });
  const port = named.master.address.port;
  await putRecordOf(consul, { name: 'named', master: { host: 'redis1.example.org', port } });
  await putRecordOf(consul, { name: 'natted', master: { host: '192.0.2.7', port: 16_379 } });
  startRegistrar(t, {
    consul,
    instances: [
      { kind: 'redis', address: named.master.address },
      { kind: 'redis', address: natted.master.address },
      { kind: 'cluster', name: 'c', address: cluster.master.address },
      { kind: 'sentinel', address: sentinel?.address ?? named.master.address },
    ],
  });
  const expected = [
    [`redis-${formatAddress(named.master.address)}`, 'redis1.example.org', port, ['named', 'master']],
    [`redis-${formatAddress(natted.master.address)}`, '192.0.2.7', 16_379, ['natted', 'master']],
    [`cluster-${formatAddress(cluster.master.address)}`, 'node1.example.org', cluster.master.address.port, ['c']],
    [`sentinel-${formatAddress(sentinel?.address ?? named.master.address)}`, '192.0.2.8', sentinel?.address.port, []],
  ] as const;
  for (const [id, Address, Port, Tags] of expected) {
    const one = await waitFor(`${id} at ${Address}`, () => instanceOf(consul, id), {
      until: (found) => found?.Service.Address === Address && found.Service.Tags.length === Tags.length,
    });
    t.match(one?.Service, { Address, Port, Tags: [...Tags] });
    // Consul's own check goes to where this node reaches it.
    await waitFor(`${id} to accept connections`, () => instanceOf(consul, id), {
      until: (found) =>
        found?.Checks.some(({ CheckID, Status }) => CheckID.endsWith(':consul') && Status === 'passing') === true,
    });
  }
});
