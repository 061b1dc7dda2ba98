import { existsSync } from 'node:fs';
import t from 'tap';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import { failOverTo, masterService, startAnnounced, untilAllPass, untilRole } from '../support/announcing.ts';
import { instanceOf, untilSays } from '../support/registering.ts';

// Others reach a server at another address than this node does. A daemon, its Sentinels and a failover, from empty on: one
// scene on Redis 8 and one on Valkey, which `npm test` unpacks if it can, otherwise on what is installed.
t.setTimeout(240_000);
const sandbox = await Sandbox.openFor(t, { name: 'announcing' });

/**
 * A hostname to Redis, Sentinel and Node, because they do not write addresses in this form. Every machine's resolver knows
 * it.
 */
function nameOf({ host, port }: Address): Address {
  const [first, second, ...rest] = host.split('.');
  return { host: [first, `0x${Number(second).toString(16)}`, ...rest].join('.'), port };
}

const outsides = new Map<string, Address>();

/** Where the forwarder listens for a server. */
function forwarded(inside: Address): Address {
  return outsides.get(formatAddress(inside)) ?? inside;
}

/** Simulates a router with port forwarding: other addresses lead to these. */
async function forward(insides: readonly Address[]): Promise<void> {
  const lines = ['defaults', '  mode tcp', '  timeout connect 1s', '  timeout client 60s', '  timeout server 60s'];
  for (const inside of insides) {
    const outside = await sandbox.address();
    outsides.set(formatAddress(inside), outside);
    lines.push(`listen ${formatAddress(inside).replaceAll(/[.:]/g, '-')}`, `  bind ${formatAddress(outside)}`);
    lines.push(`  server inside ${formatAddress(inside)}`);
  }
  const configFile = sandbox.write('router.cfg', `${lines.join('\n')}\n`);
  await sandbox.haproxy({ name: 'router', configFile, listen: forwarded(insides[0] as Address) });
}

const unpacked = (name: string) => existsSync(new URL(`../../../.tools/bin/${name}-server`, import.meta.url));
const editionOf = (name: string) => (unpacked(name) ? { edition: name } : {});
const versions = { redis: /^[5-8]\./, redis8: /^8\./, valkey: /^valkey [89]\./ };

const byName = { 'sentinel resolve-hostnames': 'yes', 'sentinel announce-hostnames': 'yes' };
const scenes = [
  { name: 'named', what: 'hostnames', outside: nameOf, sentinelConfig: byName, ...editionOf('redis8') },
  { name: 'natted', what: 'addresses behind NAT', outside: forwarded, open: forward, ...editionOf('valkey') },
];

t.test('the record, the services and the next failover use the announced addresses', { jobs: 2 }, async (t) => {
  for (const { what, ...scene } of scenes) {
    const { name, outside, edition = 'redis' } = scene;
    t.test(`${what}, on ${edition}`, async (t) => {
      const all = await startAnnounced({ sandbox, ...scene });
      const { consul, master, replica, sentinels } = all;
      await untilAllPass(all);
      const serviceAt = (address: Address, ...tags: string[]) => {
        const { host, port } = outside(address);
        const version = versions[edition as keyof typeof versions];
        return { Address: host, Port: port, Tags: tags, Meta: { version } };
      };
      t.match((await untilRole(consul, master, 'master')).Service, serviceAt(master.address, name, 'master'));
      t.match((await untilRole(consul, replica, 'replica')).Service, serviceAt(replica.address, name, 'replica'));
      for (const { address } of sentinels)
        t.match((await instanceOf(consul, `sentinel-${formatAddress(address)}`))?.Service, serviceAt(address));
      await failOverTo({ ...all, name, at: outside(replica.address) });
      t.match((await untilRole(consul, replica, 'master')).Service, serviceAt(replica.address, name, 'master'));
      const { host, port } = outside(replica.address);
      t.match(await masterService(consul), { Address: host, Port: port, Tags: [name] });
      await consul.delete(`/v1/kv/redis/desired/${name}`);
      for (const { address } of sentinels)
        await untilSays(consul, `sentinel-${formatAddress(address)}`, 'warning: monitors no master');
    });
  }
});
