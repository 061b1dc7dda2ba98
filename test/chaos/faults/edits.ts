import { writeFileSync } from 'node:fs';
import { type Address, formatAddress } from '../../../lib/model/address.ts';
import { formatRecord, type MasterRecord, parseRecord } from '../../../lib/model/record.ts';
import { askSocket } from '../../sandbox/socket.ts';
import type { Random } from '../random.ts';
import { foreignAddress, handName, readFileOrNothing, type Stage } from '../stage.ts';
import { type DrawnFault, type Fault, masterOf } from './fault.ts';

/** Edits by hand: of what the bridges keep in Consul, of rendered files, and of HAProxy's servers. */
export const edits: readonly Fault[] = [
  { name: 'delete-record', hazard: 'none', draw: (stage, random) => drawDeletion(stage, random, 'record/') },
  { name: 'delete-key', hazard: 'none', draw: (stage, random) => drawDeletion(stage, random, 'master/') },
  {
    name: 'delete-tree',
    hazard: 'none',
    draw: (stage) => ({ target: 'redis/', run: () => stage.consul.delete('/v1/kv/redis/?recurse') }),
  },
  {
    name: 'edit-key',
    hazard: 'none',
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      return { target: name, run: () => stage.consul.putKey(`redis/master/${name}`, formatAddress(foreignAddress)) };
    },
  },
  { name: 'edit-record', hazard: 'none', draw: drawRecordEdit },
  {
    name: 'damage-record',
    hazard: 'none',
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      return { target: name, run: () => stage.consul.putKey(`redis/record/${name}`, '{"version":1,"name":') };
    },
  },
  {
    name: 'deregister-service',
    hazard: 'none',
    draw: (stage, random) => {
      const { name } = random.pick(stage.shards);
      const node = { Node: `redis-${name}`, ServiceID: 'redis-master' };
      return { target: name, run: async () => void (await stage.consul.put('/v1/catalog/deregister', node)) };
    },
  },
  { name: 'edit-file', hazard: 'none', edits: 'place', draw: drawFileEdit },
  { name: 'edit-haproxy', hazard: 'none', edits: 'place', draw: drawServerEdit },
];

function drawDeletion(stage: Stage, random: Random, prefix: 'record/' | 'master/'): DrawnFault {
  const { name } = random.pick(stage.shards);
  return { target: name, run: () => stage.consul.delete(`/v1/kv/redis/${prefix}${name}`) };
}

/** A foreign, a replica's or the same address, at a higher or at the same epoch, or at a later generation; also in the key. */
function drawRecordEdit(stage: Stage, random: Random): DrawnFault {
  const [shard, to] = [random.pick(stage.shards), random.pick(['foreign', 'replica', 'same'] as const)];
  const phase = random.pick(['confirmed', 'promoted'] as const);
  const change = random.pick(['epoch', 'generation', 'nothing'] as const);
  const also = random.pick(['', ' and its key'] as const);
  const run = async () => {
    const key = `redis/record/${shard.name}`;
    const record = parseRecord((await stage.consul.key(key)) ?? '');
    const master = await masterOf(stage, shard);
    const replica = shard.servers.find((server) => server !== master)?.address;
    const address = { foreign: foreignAddress, replica, same: record?.master }[to];
    if (record === undefined || address === undefined) return;
    await stage.consul.putKey(key, formatRecord({ ...edited(record, { address, change }), phase }));
    if (also !== '') await stage.consul.putKey(`redis/master/${shard.name}`, formatAddress(address));
  };
  return { target: `${shard.name}${also} to a ${to} address, raises ${change}, ${phase}`, run };
}

function edited(
  record: MasterRecord,
  { address, change }: { readonly address: Address; readonly change: 'epoch' | 'generation' | 'nothing' },
): MasterRecord {
  const raised = {
    epoch: { epoch: record.epoch + 100 },
    generation: { generation: record.generation + 1, epoch: 1 },
    nothing: {},
  };
  return { ...record, ...raised[change], master: address, changedBy: handName };
}

function drawFileEdit({ files }: Stage, random: Random): DrawnFault {
  const place = random.pick(['haproxy', 'twemproxy', 'app'] as const);
  const how = random.pick(['empty', 'another address'] as const);
  const run = async () => {
    const text = readFileOrNothing(files[place]);
    // A proxy that is killed before the file is repaired must still be able to listen.
    const changed = text.replaceAll(/^(?!\s*(?:bind|listen:?)\s).*$/gm, (line) =>
      line.replaceAll(/127\.\d+\.\d+\.\d+/g, foreignAddress.host),
    );
    writeFileSync(files[place], how === 'empty' ? '' : changed);
  };
  return { target: `${place}, ${how}`, run };
}

function drawServerEdit({ haproxySocket }: Stage, random: Random): DrawnFault {
  const name = random.pick(['shard1', 'shard2'] as const);
  const { host, port } = foreignAddress;
  const run = async () =>
    void (await askSocket({ path: haproxySocket }, `set server ${name}/master addr ${host} port ${port}`));
  return { target: name, run };
}
