import t from 'tap';
import { queryId } from '../../lib/model/query.ts';
import { formatRecord } from '../../lib/model/record.ts';
import { knowRecords, makeInstance, makeRecord, renderText, textOf } from './world.ts';

const check = { id: 'c', serviceId: 'web-1', name: 'c', output: '' };

t.test('a render is pending until everything that it reads has answered, and names it all at once', async (t) => {
  const text = '{{key "a"}}{{#each (service "web")}}x{{/each}}{{#each redisMasters}}{{name}}{{/each}}';
  const result = renderText({ text, known: { 'key(a)': { key: 'a', value: 'v', modifyIndex: 1 } } });
  t.equal(result.kind, 'pending');
  t.same(result.kind === 'pending' && result.missing.map(queryId), ['service(web)', 'key-tree(redis/record/)']);
  t.same(result.dependencies.map(queryId), ['key(a)', 'service(web)', 'key-tree(redis/record/)']);
});

t.test('an error that a gap may have caused is pending, not failed', async (t) => {
  t.equal(renderText({ text: '{{#with (redisMaster "m") as |m|}}{{m.host}}{{/with}}{{vars.gone}}' }).kind, 'pending');
});

t.test('service gives passing instances only, unless a filter says otherwise', async (t) => {
  const instances = [
    makeInstance({ id: '1', port: 1 }),
    makeInstance({ id: '2', port: 2, checks: [{ ...check, status: 'warning' }] }),
    makeInstance({ id: '3', port: 3, checks: [{ ...check, status: 'critical' }], tags: ['blue'] }),
    makeInstance({ id: '4', port: 4, checks: [{ ...check, id: '_node_maintenance', status: 'critical' }] }),
    makeInstance({ id: '5', port: 5, tags: ['v1.2'] }),
  ];
  const known = { 'service(web)': instances, 'service(web)@dc2': [] };
  const ports = (query: string) =>
    textOf(renderText({ text: `{{#each (service "${query}")}}{{port}} {{/each}}`, known })).trim();
  t.equal(ports('web'), '1 5');
  t.equal(ports('web|passing,warning'), '1 2 5');
  t.equal(ports('web|any'), '1 2 3 4 5');
  t.equal(ports('web|maintenance'), '4');
  t.equal(ports('blue.web|critical'), '3');
  t.equal(ports('v1.2.web'), '5');
  t.equal(ports('web@dc2'), '');
  t.match(ports('web|sick'), /"sick" is no state/);
  t.match(ports('web~_agent'), /not supported/);
  t.match(ports('a b'), /is not "tag\.name@datacenter\|filter"/);
});

t.test('members are counted by who they are, not by where they are', async (t) => {
  const members = (host: string) =>
    renderText({
      text: '{{#each redisMasters}}{{address}}{{/each}}{{#each (service "web")}}{{/each}}',
      known: {
        ...knowRecords([makeRecord({ master: { host, port: 1 } })]),
        'service(web)': [makeInstance({ address: host })],
      },
    }).members;
  t.same(members('a'), ['master shard1', 'service(web) n1/web-1']);
  t.same(members('a'), members('b'));
});

t.test('keys: a missing one is an error, unless there is a default', async (t) => {
  const known = { 'key(a)': undefined, 'key(b@c/d)@dc2': { key: 'b@c/d', value: 'x', modifyIndex: 1 } };
  t.match(textOf(renderText({ text: '{{key "a"}}', known })), /t\.hbs:1:1: .*there is no key "a"/);
  t.equal(textOf(renderText({ text: '{{keyOrDefault "a" "y"}}{{key "b@c/d@dc2"}}', known })), 'yx');
});

t.test('services come with their tags', async (t) => {
  const known = {
    services: new Map([
      ['a', ['x', 'y']],
      ['b', []],
    ]),
  };
  t.equal(
    textOf(renderText({ text: '{{#each services}}{{name}}:{{#each tags}}{{this}}{{/each}} {{/each}}', known })),
    'a:xy b: ',
  );
});

t.test('masters come from the records, sorted by name', async (t) => {
  const records = [
    makeRecord({ name: 'z', master: { host: '::1', port: 2 } }),
    makeRecord({ name: 'a', phase: 'promoted' }),
  ];
  const text =
    '{{#each redisMasters}}{{name}} {{host}} {{port}} {{address}} {{epoch}} {{generation}} {{phase}} ' +
    '{{#each replicas}}{{address}}{{/each}};{{/each}}';
  const expected =
    'a 10.0.0.1 6379 10.0.0.1:6379 4 1 promoted 10.0.0.2:6379;z ::1 2 [::1]:2 4 1 confirmed 10.0.0.2:6379;';
  t.equal(textOf(renderText({ text, known: knowRecords(records) })), expected);
  t.equal(textOf(renderText({ text, known: knowRecords(records, 'redis/prod/'), environment: 'prod' })), expected);
});

t.test('one master and its replicas by name; an unknown one names the known', async (t) => {
  const known = knowRecords([makeRecord()]);
  t.equal(textOf(renderText({ text: '{{#with (redisMaster "shard1")}}{{address}}{{/with}}', known })), '10.0.0.1:6379');
  t.equal(
    textOf(renderText({ text: '{{#each (redisReplicas "shard1")}}{{address}}{{/each}}', known })),
    '10.0.0.2:6379',
  );
  t.match(
    textOf(renderText({ text: '{{#with (redisMaster "x")}}{{/with}}', known })),
    /no record of the master "x" \(known: shard1\)/,
  );
});

t.test('a key that holds no record, or two of one name, is an error and never one shard less', async (t) => {
  const broken = { 'key-tree(redis/record/)': [{ key: 'redis/record/a', value: '{"version":1}', modifyIndex: 1 }] };
  t.match(
    textOf(renderText({ text: '{{#each redisMasters}}{{/each}}', known: broken })),
    /"redis\/record\/a" in Consul does not hold a record/,
  );
  const value = formatRecord(makeRecord());
  const twice = {
    'key-tree(redis/record/)': [
      { key: 'a', value, modifyIndex: 1 },
      { key: 'b', value, modifyIndex: 1 },
    ],
  };
  t.match(textOf(renderText({ text: '{{#each redisMasters}}{{/each}}', known: twice })), /have the same name/);
});
