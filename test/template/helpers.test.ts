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
});

t.test('members are counted by their identity, not by their address', async (t) => {
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
  const known = { ...knowRecords([makeRecord()]), 'service(redis-replica)': [], 'service(redis)': [] };
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

t.test('a key that holds no record is ignored, and only a template that names its master fails', async (t) => {
  const record = makeRecord();
  const known = {
    'key-tree(redis/record/)': [
      { key: 'redis/record/', value: '', modifyIndex: 1 },
      { key: 'redis/record/a', value: '{"version":1}', modifyIndex: 1 },
      { key: 'redis/record/copy', value: formatRecord(record), modifyIndex: 1 },
      { key: 'redis/record/shard1', value: formatRecord(record), modifyIndex: 1 },
    ],
  };
  t.equal(textOf(renderText({ text: '{{#each redisMasters}}{{name}};{{/each}}', known })), 'shard1;');
  t.equal(textOf(renderText({ text: '{{#with (redisMaster "shard1")}}{{name}}{{/with}}', known })), 'shard1');
  t.match(
    textOf(renderText({ text: '{{#with (redisMaster "a")}}{{name}}{{/with}}', known })),
    /"redis\/record\/a" does not hold a record/,
  );
});

t.test('folders of keys: ls gives one level, tree all of them', async (t) => {
  const pair = (key: string) => ({ key, value: `v${key}`, modifyIndex: 1 });
  const known = { 'key-tree(a/)': ['a/', 'a/b', 'a/c/', 'a/c/d'].map(pair) };
  t.equal(textOf(renderText({ text: '{{#each (ls "a/")}}{{key}}={{value}} {{/each}}', known })), 'b=va/b ');
  t.equal(
    textOf(renderText({ text: '{{#each (tree "a/")}}{{this.key}}={{path}} {{/each}}', known })),
    'b=a/b c/d=a/c/d ',
  );
  t.equal(textOf(renderText({ text: '{{#each (byKey (tree "a/"))}}{{@key}}{{len this}} {{/each}}', known })), 'c1 ');
});

t.test('nodes, one node, datacenters, and whether a key exists', async (t) => {
  const node = { node: 'n1', address: '10.0.0.9', datacenter: 'dc1', meta: { rack: 'r1' } };
  const service = { id: 'w', name: 'web', address: '10.0.0.9', port: 80, tags: [], meta: {} };
  const known = {
    nodes: [node],
    'node(n1)': { ...node, services: [service] },
    'node(gone)': undefined,
    datacenters: ['dc1', 'dc2'],
    'key(a)': undefined,
  };
  const text =
    '{{#each nodes}}{{node}} {{address}} {{meta.rack}};{{/each}}{{#with (node "n1")}}{{#each this.services}}{{name}}{{/each}}{{/with}};' +
    '{{#with (node "gone") as |n|}}{{#if n.node}}x{{else}}gone{{/if}}{{/with}};{{#each datacenters}}{{this}} {{/each}}{{keyExists "a"}}';
  t.equal(textOf(renderText({ text, known })), 'n1 10.0.0.9 r1;web;gone;dc1 dc2 false');
});

t.test('services are grouped by tag and by meta, sorted, and any tag is just a name', async (t) => {
  const known = {
    'service(web)': [
      makeInstance({ id: '1', port: 1, tags: ['b', 'a'], meta: { version: 'v2' } }),
      makeInstance({ id: '2', port: 2, tags: ['a', '__proto__'] }),
    ],
  };
  t.equal(
    textOf(
      renderText({
        text: '{{#each (byTag (service "web"))}}{{@key}}:{{#each this}}{{port}}{{/each}} {{/each}}',
        known,
      }),
    ),
    '__proto__:2 a:12 b:1 ',
  );
  t.equal(
    textOf(
      renderText({ text: '{{#each (byMeta "version" (service "web"))}}[{{@key}}]{{length this}}{{/each}}', known }),
    ),
    '[_no_version_]1[v2]1',
  );
});

t.test('files and the environment are read, and a missing one is named', async (t) => {
  t.equal(
    textOf(
      renderText({ text: '{{trim (file "/a")}}{{env "B"}}{{env "C" "c"}}', files: { '/a': 'x\n' }, env: { B: 'b' } }),
    ),
    'xbc',
  );
  t.equal(renderText({ text: '{{file "/gone"}}' }).kind, 'pending');
  const missing = renderText({ text: '"{{env "NONE"}}"' });
  t.equal(textOf(missing), '""');
  t.match(missing.warnings, [/NONE is not set/]);
  t.match(textOf(renderText({ text: '{{mustEnv "NONE"}}' })), /NONE is not set/);
});

t.test('Sentinels and clusters', async (t) => {
  const known = {
    'service(redis-sentinel)': [makeInstance({ address: '10.0.0.1', port: 26379, tags: ['prod'] })],
    'key(redis/prod/cluster/c)': { key: 'c', value: '{"epoch":1,"shards":[{"master":{"host":"h"}}]}', modifyIndex: 1 },
    'key(redis/prod/cluster/d)': { key: 'd', value: '[]', modifyIndex: 1 },
  };
  const text =
    '{{#each redisSentinels}}{{address}}{{/each}} {{#with (redisCluster "c")}}{{shards.[0].master.host}}{{/with}}';
  t.equal(textOf(renderText({ text, known, environment: 'prod' })), '10.0.0.1:26379 h');
  const broken = renderText({ text: '{{#with (redisCluster "d")}}{{/with}}', known, environment: 'prod' });
  t.match(textOf(broken), /does not hold a record of a cluster/);
});

t.test('an empty part of a path does not read the key of another folder', async (t) => {
  const known = { 'key(conf/password)': { key: 'conf/password', value: 'secret', modifyIndex: 1 } };
  const path = '(print "conf/" vars.n "/password")';
  for (const call of [`key ${path}`, `keyOrDefault ${path} "x"`, `keyExists ${path}`, `keyBase64 ${path}`]) {
    const written = (n: string) => textOf(renderText({ text: `{{${call}}}`, known, vars: { n } }));
    for (const n of ['', '/']) t.match(written(n), /a part of the path of the key "conf\/\/+password" is empty/, call);
  }
  for (const text of ['{{key "conf//password"}}', '{{key "conf/password//"}}', '{{key "conf//password@dc2"}}'])
    t.match(textOf(renderText({ text, known })), /is empty/, text);
  t.equal(textOf(renderText({ text: '{{key "/conf/password"}}', known })), 'secret');
});

t.test('a leading slash of a key is trimmed, as in consul-template', async (t) => {
  const known = {
    'key(app/maxconn)': { key: 'app/maxconn', value: '100', modifyIndex: 1 },
    'key-tree(app/)': [{ key: 'app/maxconn', value: '100', modifyIndex: 1 }],
  };
  const calls = [
    '{{key "/app/maxconn"}}',
    '{{keyOrDefault "/app/maxconn" "1"}}',
    '{{#if (keyExists "//app/maxconn")}}100{{/if}}',
    '{{#each (ls "/app/")}}{{value}}{{/each}}',
    '{{#each (tree "/app/")}}{{value}}{{/each}}',
  ];
  for (const text of calls) t.equal(textOf(renderText({ text, known })), '100', text);
});
