import t from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { idOf, instanceOf, putRecordOf, startRegistrar, untilSays } from '../support/registering.ts';

/* One process with several names: Sentinels that announce hostnames, addresses, or some of them one and some the other. */

t.setTimeout(120_000);
const sandbox = await Sandbox.openFor(t, { name: 'field-identity' });
const consul = await sandbox.consul();

/** A name to Redis, Sentinel and Node, because they do not write addresses so. Every machine's resolver knows it. */
function nameOf({ host, port }: Address): Address {
  const [first, second, ...rest] = host.split('.');
  return { host: [first, `0x${Number(second).toString(16)}`, ...rest].join('.'), port };
}

t.test('the only master, which Sentinels know by a hostname, is registered as the master by its address', async (t) => {
  const shard = await sandbox.redis({ name: 'named', replicas: 0 });
  const { master } = shard;
  await putRecordOf(consul, { name: 'named', master: nameOf(master.address) });
  startRegistrar(t, { consul, instances: [{ kind: 'redis', name: 'named', address: master.address }] });
  await untilSays(consul, idOf(master), 'passing: answers');
  t.strictSame((await instanceOf(consul, idOf(master)))?.Service.Tags, ['named', 'master']);
  await master.kill();
  await untilSays(consul, idOf(master), 'critical: refuses connections');
  t.strictSame((await instanceOf(consul, idOf(master)))?.Service.Tags, ['named', 'master'], 'it stays the master');
  await putRecordOf(consul, { name: 'named', master: await sandbox.address(), epoch: 2 });
  await waitFor(
    'its role to be unknown, because the new master proves nothing',
    () => instanceOf(consul, idOf(master)),
    {
      until: (one) => one?.Service.Tags.join() === 'named',
    },
  );
});

t.test('a former master that the record does not list is a replica if another process is the master', async (t) => {
  const [former, current] = await Promise.all([
    sandbox.redis({ name: 'former', replicas: 0 }),
    sandbox.redis({ name: 'current', replicas: 0 }),
  ]);
  await putRecordOf(consul, { name: 'former', master: nameOf(current.master.address) });
  startRegistrar(t, { consul, instances: [{ kind: 'redis', name: 'former', address: former.master.address }] });
  await untilSays(consul, idOf(former.master), 'critical: answers as a master, but the record has it as a replica');
});
