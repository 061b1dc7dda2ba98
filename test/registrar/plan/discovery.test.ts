import t from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { formatAddress, formatEndpoint } from '../../../lib/model/address.ts';
import type { InstanceSpec } from '../../../lib/model/instance.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { discoverInstances } from '../../../lib/registrar/plan/discovery.ts';
import { makeInstance } from '../../integration/support/registering.ts';

const {
  id: _,
  address: __,
  origin: ___,
  ...pattern
} = makeInstance({ kind: 'redis', address: { host: 'a', port: 1 } }).spec;

function recordOf(master: string, replicas: readonly string[] = []): MasterRecord {
  const at = (host: string): Address => ({ host, port: 6379 });
  return {
    version: 1,
    name: 'shard1',
    generation: 1,
    epoch: 1,
    phase: 'confirmed',
    master: at(master),
    replicas: replicas.map(at),
    previous: null,
    reason: 'test',
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'test',
  };
}

const resolved: Readonly<Record<string, readonly string[] | undefined>> = {
  'redis-0.example': ['10.0.0.5'],
  'redis-1.example': ['10.0.0.6'],
  'this-node': ['127.0.1.1'],
  localhost: ['127.0.0.1'],
  six: ['fd00::5'],
};

function find(
  record: MasterRecord,
  over: { hosts?: readonly string[]; before?: readonly InstanceSpec[]; configured?: readonly Address[] } = {},
) {
  const { hosts = [], before = [], configured = [] } = over;
  const found = discoverInstances(
    { pattern, hosts, matches: () => true },
    {
      records: [record],
      nodeHosts: ['10.0.0.5', 'fd00:0:0:0::5'],
      addresses: {
        of: (host) => resolved[host.toLowerCase()] ?? (/^[\d.]+$|:/.test(host) ? [host] : []),
        isUnresolved: (host) => host === 'unresolved',
      },
      before,
      configured,
    },
  );
  return found.map(({ address }) => formatEndpoint(address));
}

t.test('a record lists an instance of this node by any name or spelling of its address', async (t) => {
  for (const host of [
    '10.0.0.5',
    '::ffff:10.0.0.5',
    'redis-0.example',
    'Redis-0.Example',
    'six',
    'fd00::0005',
    'this-node',
  ])
    t.strictSame(find(recordOf(host)), [formatAddress({ host, port: 6379 })], host);
  for (const host of ['10.0.0.6', 'redis-1.example', 'localhost', '127.0.0.1', 'unresolved'])
    t.strictSame(find(recordOf(host)), [], host);
  t.strictSame(find(recordOf('DB1.'), { hosts: ['db1'] }), ['DB1.:6379'], 'the config names the host');
});

t.test('an instance stays while a name of its record is not resolved yet', async (t) => {
  const before = [makeInstance({ kind: 'redis', name: 'shard1', address: { host: '10.0.0.5', port: 6379 } }).spec];
  t.strictSame(find(recordOf('unresolved', ['redis-1.example']), { before }), ['10.0.0.5:6379']);
  t.strictSame(find(recordOf('redis-1.example'), { before }), []);
});

t.test('an instance that the config lists by its address is not discovered again by its name', async (t) => {
  const at = (host: string): Address => ({ host, port: 6379 });
  for (const configured of [at('10.0.0.5'), at('REDIS-0.example')])
    t.strictSame(find(recordOf('redis-0.example'), { configured: [configured] }), [], configured.host);
  t.strictSame(find(recordOf('redis-0.example'), { configured: [{ host: '10.0.0.5', port: 1 }] }), [
    'redis-0.example:6379',
  ]);
});
