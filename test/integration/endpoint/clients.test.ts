import t from 'tap';
import { Secret } from '../../../lib/config/secret.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { ClientProcess } from '../../clients/client-process.ts';
import { nodePrograms } from '../../clients/programs.ts';
import { runRounds } from '../../clients/rounds.ts';
import type { ClientStack } from '../../clients/stack.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, recordOf, startBridge } from '../support/bridging.ts';
import { startEndpoint } from '../support/endpoints.ts';
import { makeLoopbackCertificate } from '../support/loopback-certificate.ts';

// `npm run test:clients` runs every client through more faults, and beside it at the Sentinels.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'clients' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1' })]);
const sentinels = await sandbox.sentinels({ masters: [shard] });
startBridge(t, { consul, sentinels });
const { certFile, cert, key } = makeLoopbackCertificate(sandbox);
const reader = { username: 'default', password: new Secret('right') };
const [open, closed] = await Promise.all([
  startEndpoint(t, { consul }),
  startEndpoint(t, { consul, settings: { reader, tls: { cert, key: new Secret(key) } } }),
]);
await recordOf(consul, shard.name);

t.test('clients write again after kill -9: over TCP, and over TLS with a password', async (t) => {
  const ways = [
    { way: 'TCP', sentinels: [formatAddress(open.address)] },
    { way: 'TLS', sentinels: [formatAddress(closed.address)], password: 'right', caFile: certFile },
  ];
  const clients = nodePrograms.flatMap((program) =>
    ways.map(({ way, ...access }) => {
      const job = { ...access, name: shard.name, key: `${program.library}:${way}` };
      return ClientProcess.start(program, { job, env: sandbox.env });
    }),
  );
  const unused = async () => {
    throw new Error('this fault is not among those of this test');
  };
  const paths = { restartEndpoint: unused, failOver: unused };
  const recorders = await Promise.all(sentinels.map((sentinel) => sentinel.record()));
  const stack: ClientStack = { consul, shard, sentinels, recorders, endpoints: [open.address], ...paths };
  const results = await runRounds(stack, { clients, faults: ['kill -9'], report: () => {} });
  t.equal(results.length, 4);
  for (const { client, withoutMs } of results)
    t.ok(Number.isFinite(withoutMs), `${client.job.key} is back: ${client.errors.at(-1)}`);
  t.not(only(shard.servers).running, true, 'the first master stays down');
});
