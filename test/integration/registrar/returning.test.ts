import t from 'tap';
import { formatAddress } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { only, recordOf, startBridge } from '../support/bridging.ts';
import { instancesOf, startRegistrar, untilSays } from '../support/registering.ts';

const sandbox = await Sandbox.openFor(t, { name: 'returning' });
const [consul, shard] = await Promise.all([sandbox.consul(), sandbox.redis({ name: 'shard1' })]);
// With less, a Sentinel on a busy machine may call the new master down before it is connected to it.
const sentinels = await sandbox.sentinels({ masters: [shard], downAfterMs: 2_000 });
const { name, master } = shard;
const replica = only(shard.replicas);

/** Every place that could lead an application to the server at this host as a master. */
async function claimsOf(host: string): Promise<readonly string[]> {
  const names = ['redis-master', `${name}.redis-master`, 'master.redis'].map((one) => `${one}.service.consul`);
  const [answers, listed] = await Promise.all([
    Promise.all(names.map(async (one) => ((await consul.dnsA(one)).includes(host) ? [one] : []))),
    Promise.all(['redis', 'redis-master'].map((service) => instancesOf(consul, service))),
  ]);
  const passing = listed.flat().filter(({ Service, Checks }) => {
    const master = Service.Tags.includes('master') || Service.ID.startsWith('redis-master');
    return Service.Address === host && master && Checks.every(({ Status }) => Status === 'passing');
  });
  return [...answers.flat(), ...passing.map(({ Service }) => `${Service.ID} is passing as a master`)];
}

t.test('DNS never has a former master that starts again as a master', async (t) => {
  startBridge(t, { consul, sentinels, fence: 'demote' });
  await recordOf(consul, name, { master });
  startRegistrar(t, {
    consul,
    instances: shard.servers.map(({ address }) => ({ kind: 'redis', name, address })),
  });
  const oldId = `redis-${formatAddress(master.address)}`;
  await Promise.all(
    shard.servers.map(({ address }) => untilSays(consul, `redis-${formatAddress(address)}`, 'passing: answers')),
  );
  t.not((await claimsOf(master.address.host)).length, 0, 'what is looked for can be seen');

  await master.kill();
  await recordOf(consul, name, { master: replica });
  await untilSays(consul, oldId, 'critical: refuses connections');
  const claims: (readonly string[])[] = [];
  const roles = new Set<string>();
  let watching = true;
  const watches = [
    async () => void claims.push(await claimsOf(master.address.host)),
    async () => void roles.add(String(((await master.command('ROLE').catch(() => [])) as unknown[])[0])),
  ].map(async (look) => {
    while (watching) await look();
  });
  await master.start();
  await waitFor('the old master to be a replica', () => master.command('ROLE'), {
    until: (role) => Array.isArray(role) && role[0] === 'slave' && role[3] === 'connected',
    timeoutMs: 60_000,
  });
  await untilSays(consul, oldId, 'passing: answers');
  const looks = claims.length;
  await waitFor('ten more looks', () => claims.length > looks + 10);
  watching = false;
  await Promise.all(watches);
  t.strictSame(
    claims.filter((found) => found.length > 0),
    [],
    `${claims.length} looks`,
  );
  t.ok(roles.has('master'), 'it was a master for a while');
  await waitFor('DNS', () => consul.dnsA(`${name}.redis-master.service.consul`), {
    until: (hosts) => hosts.join() === replica.address.host,
  });
});
