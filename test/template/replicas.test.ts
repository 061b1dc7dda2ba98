import t from 'tap';
import { knowRecords, makeInstance, makeRecord, renderText, textOf } from './world.ts';

t.test('the replicas that can be read from, by the checks in Consul, and all of them on request', async (t) => {
  const at = (last: number) => ({ host: `10.0.0.${last}`, port: 6379 });
  const replicas = [2, 3, 4, 5, 6, 7].map(at);
  const check = (status: 'passing' | 'warning' | 'critical', output: string, id = 'c') => {
    return { id, serviceId: 's', name: 'check', status, output };
  };
  const judged = (last: number, checks: readonly ReturnType<typeof check>[], node = 'redis-shard1') =>
    makeInstance({ node, id: `r-${last}`, name: 'redis-replica', address: at(last).host, port: 6379, checks });
  const process = (last: number, checks: readonly ReturnType<typeof check>[]) =>
    makeInstance({ id: `p-${last}`, name: 'redis', address: at(last).host, port: 6379, checks });
  const known = {
    ...knowRecords([makeRecord({ replicas })]),
    'service(redis-replica)': [
      judged(2, [check('passing', 'Sentinel: up')]),
      judged(3, [check('critical', 'Sentinel: down')]),
      judged(4, [check('warning', 'its link to the master is down')]),
      judged(5, [check('passing', 'Sentinel: up')]),
      judged(6, [check('passing', 'Sentinel: up')]),
      judged(7, [check('critical', 'of another master')], 'redis-shard2'),
    ],
    'service(redis)': [
      process(2, [check('warning', 'lags behind its master')]),
      process(5, [check('critical', 'is loading its data set')]),
      process(6, [check('critical', 'disk', '_service_maintenance:p-6')]),
    ],
  };
  const text = '{{#each (redisReplicas "shard1")}}{{host}} {{/each}}';
  t.equal(textOf(renderText({ text, known })), '10.0.0.2 10.0.0.7 ', 'one without a check counts as readable');
  const all = '{{#each (redisReplicas "shard1" all=true)}}{{host}}:{{health}}:{{readable}}:{{says}} {{/each}}';
  t.equal(
    textOf(renderText({ text: all, known })),
    '10.0.0.2:passing:true:Sentinel: up 10.0.0.3:critical:false:Sentinel: down ' +
      '10.0.0.4:warning:false:its link to the master is down 10.0.0.5:passing:false:Sentinel: up ' +
      '10.0.0.6:passing:false:Sentinel: up 10.0.0.7:unknown:true: ',
  );
  const unread = { ...known, 'service(redis)': undefined };
  Reflect.deleteProperty(unread, 'service(redis)');
  t.equal(textOf(renderText({ text, known: unread })), 'pending service(redis)');
});
