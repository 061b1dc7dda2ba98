import type { Test } from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { redisCli } from '../../sandbox/resp.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord } from './rendering.ts';

/** A Consul whose record names the first of two masters. Each has its number in the key `who`. */
export async function twoServers(t: Test, { sandbox, name }: { readonly sandbox: Sandbox; readonly name: string }) {
  const [consul, a, b, listen] = await Promise.all([
    sandbox.consul({ name: `consul-${name}`, config: { session_ttl_min: '1s' } }),
    sandbox.redis({ name: `${name}-a` }),
    sandbox.redis({ name: `${name}-b` }),
    sandbox.address(),
  ]);
  const servers = [a.master, b.master] as const;
  for (const [i, server] of servers.entries()) await server.command('SET', 'who', String(i));
  await moveTo(consul, servers[0].address, 1);
  return { consul, servers, listen, folder: makeFolder(t) };
}

export async function moveTo(consul: ConsulAgent, master: Address, epoch: number): Promise<void> {
  await putRecord(consul, { name: 'shard1', master, epoch, replicas: [] });
}

export const testConfig = { argv: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'] };
/** The number of the master that a proxy leads to. */
export const whoAt = (listen: Address) => redisCli(listen, ['GET', 'who']);

export const untilAt = (listen: Address, who: string) =>
  waitFor(`the proxy to lead to ${who}`, () => whoAt(listen), { until: (answer) => answer === who, intervalMs: 5 });
