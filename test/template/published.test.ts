import t from 'tap';
import { knowRecords, makeInstance, makeRecord, renderText, textOf } from './world.ts';

// Clients get the published address. Programs that must connect as Sentinel does get the one in the record.
const publish = [{ masters: '*', port: 6380, addresses: { '10.0.0.2': { host: '203.0.113.2' } } }];
const replica = { host: '10.0.0.2', port: 6379 };
const check = { id: 'c', serviceId: 's', name: 'check', status: 'passing', output: 'Sentinel: up' } as const;
const known = {
  ...knowRecords([makeRecord({ master: { host: '10.0.0.1', port: 6379 }, replicas: [replica] })]),
  'service(redis-replica)': [
    makeInstance({
      node: 'redis-shard1',
      name: 'redis-replica',
      address: '203.0.113.2',
      port: 6380,
      meta: { 'recorded-address': '10.0.0.2:6379' },
      checks: [check],
    }),
  ],
  'service(redis)': [],
};
const render = (text: string, vars = {}) => textOf(renderText({ text, known, publish, vars }));

const cases: readonly (readonly [helper: string, text: string, expected: string])[] = [
  [
    'redisMaster',
    '{{#with (redisMaster "shard1")}}{{host}} {{port}} {{address}}{{/with}}',
    '10.0.0.1 6380 10.0.0.1:6380',
  ],
  ['redisMaster, recorded', '{{lookup (lookup (redisMaster "shard1") "recorded") "address"}}', '10.0.0.1:6379'],
  ['redisMasters', '{{#each redisMasters}}{{address}} {{recorded.port}}{{/each}}', '10.0.0.1:6380 6379'],
  ['replicas of a master', '{{#each redisMasters}}{{#each replicas}}{{address}}{{/each}}{{/each}}', '203.0.113.2:6380'],
  [
    'redisReplicas',
    '{{#each (redisReplicas "shard1" all=true)}}{{address}} {{recorded.address}} {{says}}{{/each}}',
    '203.0.113.2:6380 10.0.0.2:6379 Sentinel: up',
  ],
  [
    'redisListeners, for HAProxy',
    '{{#each (lookup (redisListeners vars.ports) "listeners")}}{{address}}{{/each}}',
    '10.0.0.1:6379',
  ],
  [
    'redisPools, for twemproxy',
    '{{#each (redisPools vars)}}{{#each masters}}{{address}}{{/each}}{{/each}}',
    '10.0.0.1:6379',
  ],
];

for (const [helper, text, expected] of cases)
  t.test(`addresses of ${helper}`, async (t) => t.equal(render(text, { ports: { shard1: 16379 } }), expected));
