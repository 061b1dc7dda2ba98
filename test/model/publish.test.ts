import t from 'tap';
import { formatAddress } from '../../lib/model/address.ts';
import { type Publish, publishedAddress } from '../../lib/model/publish.ts';

const rules: Publish = [
  { masters: 'shard*', port: 6380, addresses: {} },
  { masters: 'shard?', port: 1, addresses: {} },
  {
    masters: 'shard9',
    port: 7000,
    addresses: {
      '10.0.0.1': { host: '203.0.113.1' },
      '10.0.0.1:6379': { host: '203.0.113.5' },
      '10.0.0.2:6379': { host: 'redis.example', port: 16379 },
    },
  },
  { masters: 'nat', addresses: { '2001:db8::1': { host: '203.0.113.6' } } },
];

const cases: readonly (readonly [why: string, name: string, host: string, port: number, expected: string])[] = [
  ['no rule for the master', 'other', '10.0.0.1', 6379, '10.0.0.1:6379'],
  ['the first pattern that matches', 'shard1', '10.0.0.1', 6379, '10.0.0.1:6380'],
  ['exactly the name, before patterns', 'shard9', '10.0.0.9', 6379, '10.0.0.9:7000'],
  ['an address, before its host', 'shard9', '10.0.0.1', 6379, '203.0.113.5:7000'],
  ['a host, whatever the port', 'shard9', '10.0.0.1', 6390, '203.0.113.1:7000'],
  ['a port of its own', 'shard9', '10.0.0.2', 6379, 'redis.example:16379'],
  ['a host without any port', 'nat', '2001:db8::1', 6379, '203.0.113.6:6379'],
  ['names of Object.prototype are no rules', 'nat', 'constructor', 6379, 'constructor:6379'],
];

for (const [why, name, host, port, expected] of cases) {
  t.test(`a published address: ${why}`, async (t) => {
    t.equal(formatAddress(publishedAddress(rules, { name, address: { host, port } })), expected);
  });
}

t.test('without rules clients get the address in the record', async (t) => {
  const address = { host: '10.0.0.1', port: 6379 };
  t.equal(publishedAddress(undefined, { name: 'shard1', address }), address);
});
