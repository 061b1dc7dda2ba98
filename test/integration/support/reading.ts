import { formatAddress } from '../../../lib/model/address.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { readRecord, servicesOf } from './bridging.ts';
import { repeat } from './repeating.ts';

/** Reads everything that Consul has about a master again and again. Lists each state once: `address@epoch`. */
export function watchEpochs(agent: ConsulAgent, name: string): { readonly seen: string[]; stop(): Promise<void> } {
  const seen: string[] = [];
  const transaction = [
    { KV: { Verb: 'get', Key: `redis/record/${name}` } },
    { KV: { Verb: 'get', Key: `redis/master/${name}` } },
    { KV: { Verb: 'get', Key: `redis/master/${name}/epoch` } },
    { Service: { Verb: 'get', Node: `redis-${name}`, Service: { ID: 'redis-master' } } },
  ];
  const stop = repeat(async () => {
    const reply = await agent.put<{
      Results: { KV?: { Value: string }; Service?: { Address: string; Port: number; Meta: { epoch: string } } }[];
    }>('/v1/txn', transaction);
    const [record, plain, epoch, service] = reply?.Results ?? [];
    const text = (entry: { KV?: { Value: string } } | undefined) =>
      Buffer.from(entry?.KV?.Value ?? '', 'base64').toString();
    const { master, epoch: recorded } = JSON.parse(text(record));
    const instance = service?.Service;
    const all = [
      `${formatAddress(master)}@${recorded}`,
      `${text(plain)}@${text(epoch)}`,
      `${instance?.Address}:${instance?.Port}@${instance?.Meta.epoch}`,
    ];
    const state = [...new Set(all)].join(' but ');
    if (seen.at(-1) !== state) seen.push(state);
  });
  return { seen, stop };
}

/** Everything that Consul has about a master, without indexes. */
export async function snapshot(consul: ConsulAgent, name: string): Promise<unknown> {
  const record = await readRecord(consul, name);
  const keys = await Promise.all(
    ['', '/host', '/port', '/epoch'].map((end) => consul.key(`redis/master/${name}${end}`)),
  );
  const services = (await servicesOf(consul, name)).map(({ Node, Service, Checks }) => [
    Node.Address,
    Service.ID,
    Service.Address,
    Service.Port,
    Service.Tags,
    Service.Meta,
    Checks.map(({ CheckID, Status, Output, Notes }) => [CheckID, Status, Output, Notes]),
  ]);
  return { master: record?.master, epoch: record?.epoch, keys, services };
}
