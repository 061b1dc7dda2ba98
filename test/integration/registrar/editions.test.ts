import t, { type Test } from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import type { RedisServer } from '../../sandbox/redis.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { otherEditions } from '../support/editions.ts';
import { instanceOf, putRecordOf, startRegistrar, untilSays } from '../support/registering.ts';

// Valkey, and Redis 8 with `npm run test:editions`; what is installed where they are not unpacked.
t.setTimeout(360_000);
const sandbox = await Sandbox.openFor(t, { name: 'registrar-editions' });
const versions: Readonly<Record<string, RegExp>> = {
  redis: /^[5-7]\./,
  redis8: /^8\./,
  valkey: /^valkey 8\./,
  valkey9: /^valkey (?:9|[1-9]\d)\./,
};

t.test('each edition is registered', { jobs: 2 }, async (t) => {
  for (const edition of otherEditions.length === 0 ? ['redis'] : otherEditions) {
    t.test(edition, (t) => tryEdition(t, edition));
  }
});

async function tryEdition(t: Test, edition: string): Promise<void> {
  // A registrar removes services that it does not know from its agent.
  const consul = await sandbox.consul({ name: `consul-${edition}` });
  await t.test(`${edition}: the registration has the version, and the check of a Sentinel its quorum`, async (t) => {
    const shard = await sandbox.redis({ name: `${edition}-shard`, program: `${edition}-server` });
    const [one] = await sandbox.sentinels({
      name: edition,
      count: 1,
      masters: [shard],
      quorum: 2,
      program: `${edition}-sentinel`,
    });
    const [replica] = shard.replicas as [RedisServer];
    await putRecordOf(consul, { name: shard.name, master: shard.master.address, replicas: [replica.address] });
    const sentinel = one?.address ?? replica.address;
    startRegistrar(t, {
      consul,
      instances: [
        ...shard.servers.map(({ address }) => ({ kind: 'redis', address }) as const),
        { kind: 'sentinel', address: sentinel },
      ],
    });
    const id = `redis-${formatAddress(shard.master.address)}`;
    await untilSays(consul, id, 'passing: answers');
    await untilSays(consul, `redis-${formatAddress(replica.address)}`, 'passing: answers');
    t.match((await instanceOf(consul, id))?.Service, {
      Meta: { version: versions[edition] },
      Tags: [shard.name, 'master'],
    });
    const sentinelId = `sentinel-${formatAddress(sentinel)}`;
    await untilSays(consul, sentinelId, `warning: no quorum or majority for ${shard.name} (SENTINEL CKQUORUM)`);
    await one?.command('SENTINEL', 'SET', shard.name, 'quorum', 1);
    await untilSays(consul, sentinelId, 'passing: answers');
  });
}
