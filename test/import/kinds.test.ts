import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { importErb } from '../../lib/import/erb/template.ts';
import { projectDir } from '../docs/pages.ts';
import { importText, pools, smitty } from './import-text.ts';

/* What an import must report. The pages of the migrations have the whole examples. */

t.test('an import names each option of the agent that it assumes, and each further line that starts it', async (t) => {
  const start = '#!/bin/sh\nnode redis_twemproxy_agent -h 10.0.0.5 -f /x.yml -c "restart x"\n';
  const known = await importText(t, 'redis-twemproxy-agent', { start, 'x.yml': pools });
  t.strictSame(known.config.sentinel.addresses, ['10.0.0.5:26379']);
  t.strictSame(known.todo, []);
  const two = await importText(t, 'redis-twemproxy-agent', {
    start: `${start}node redis_twemproxy_agent -h 10.0.0.6 \\\n -p 26380\n`,
    'x.yml': pools,
  });
  t.strictSame(two.todo, ['todo 3 redis_twemproxy_agent: another line starts the agent']);
  const initScript = 'DAEMON=/usr/bin/redis_twemproxy_agent\nOPTS="-h 10.0.0.5"\n$DAEMON $OPTS\n';
  const hidden = await importText(t, 'redis-twemproxy-agent', { start: initScript, 'x.yml': pools });
  t.strictSame(
    hidden.todo.map((line) => line.split(':')[0]),
    ['todo 1 --host', 'todo 1 --port', 'todo 1 --config', 'todo 1 --command'],
  );
  const variable = await importText(t, 'redis-twemproxy-agent', {
    start: 'OPTS="redis-twemproxy-agent -h $HOST -p 26380"\n',
    'x.yml': pools,
  });
  t.strictSame(variable.config.sentinel.addresses, ['$HOST:26380']);
  t.match(variable.todo, [/todo 1 --host: .*\$HOST/]);
});

t.test("an import gives twemproxy's own defaults, and leaves out pools that are not for Redis", async (t) => {
  const { config, lines } = await importText(
    t,
    'smitty',
    { 'smitty.yml': smitty, 'nutcracker.yml': `${pools}memcached:\n  listen: 127.0.0.1:11211\n` },
    ['smitty.yml'],
  );
  const { root } = config.templates[0].vars.pools;
  t.match(root, { server_retry_timeout: 30_000, tcpkeepalive: false, preconnect: false, backlog: 512 });
  t.match(lines.join('\n'), /^difference 1 timeout: twemproxy waits without end in the pool root, .* 400 ms$/m);
  for (const setting of ['', '  redis: false\n']) {
    const files = { 'smitty.yml': smitty, 'nutcracker.yml': pools.replace('  redis: true\n', setting) };
    const memcached = await importText(t, 'smitty', files);
    t.equal(memcached.config.templates, undefined);
    t.match(memcached.todo.join('\n'), /^todo \d root: the pool root is not for Redis$/m);
  }
});

t.test('a Sentinel has an address that other machines reach, or is left to do', async (t) => {
  const monitor = 'sentinel monitor shard1 10.0.0.8 6379 2\n';
  const address = async (text: string) => {
    const { config, todo } = await importText(t, 'client-reconfig-script', { 'sentinel.conf': text + monitor });
    return [config.sentinel.addresses[0], ...todo.map((line) => line.split(':')[0])];
  };
  t.strictSame(await address('bind 127.0.0.1 -::1 10.0.0.5\n'), ['10.0.0.5:26379']);
  t.strictSame(await address(''), ['127.0.0.1:26379', 'todo 1 bind']);
  t.strictSame(await address('port 26380\nbind * -::*\n'), ['127.0.0.1:26380', 'todo 2 bind']);
  t.strictSame(await address('bind 127.0.0.1\n'), ['127.0.0.1:26379', 'todo 1 bind']);
  t.strictSame(await address('bind 127.0.0.1\nsentinel announce-ip 10.0.0.5\n'), ['10.0.0.5:26379']);
  t.strictSame(await address('bind 10.0.0.5\nport 0\ntls-port 26390\n'), ['10.0.0.5:26390', 'todo 3 tls-port']);
});

t.test('users and passwords of Sentinels are left to do, each of them', async (t) => {
  const { todo } = await importText(t, 'client-reconfig-script', {
    'sentinel.conf': `bind 10.0.0.5
sentinel monitor shard1 10.0.0.8 6379 2
sentinel monitor shard2 10.0.0.9 6379 2
requirepass a
user default on nopass
aclfile /etc/users.acl
sentinel sentinel-user peer
sentinel sentinel-pass p
sentinel auth-user shard1 u
sentinel auth-pass shard1 hidden1
sentinel auth-pass shard2 hidden2
`,
  });
  t.strictSame(
    todo.map((line) => line.split(':')[0]),
    [
      'todo 4 requirepass',
      'todo 5 user',
      'todo 6 aclfile',
      'todo 7 sentinel-user',
      'todo 8 sentinel-pass',
      'todo 9 auth-user',
      'todo 10 auth-pass',
      'todo 11 auth-pass',
    ],
  );
  t.notMatch(todo.join('\n'), /hidden/, 'no password is shown');
});

t.test('of several files of consul-template the last one wins, and what is not enabled is not imported', async (t) => {
  const { config } = await importText(t, 'consul-template', {
    'a.hcl': 'consul {\n address = "10.0.0.1:8500"\n token_file = "/a"\n}\n',
    'b.hcl': 'consul {\n address = "10.0.0.2:8500"\n}\n',
  });
  t.strictSame(config.consul, { address: 'http://10.0.0.2:8500', tokenFile: '/a' });
  const template = (settings: string) => `template {\n contents = "a"\n destination = "/etc/a"\n ${settings}\n}\n`;
  const none = { source: './a.hbs', destination: '/etc/a', createDestDirs: true };
  for (const [text, whys] of [
    [template('command = ""'), []],
    [template('exec {\n command = [""]\n }'), []],
    [template('exec {\n enabled = false\n command = "reload a"\n }'), ['todo 5 enabled: exec is not enabled']],
    [template('wait {\n enabled = false\n min = "1s"\n }'), []],
    [`wait {\n enabled = false\n min = "1s"\n}\n${template('')}`, []],
    [`${template('')}exec {\n command = ""\n}\n`, ['todo 6 exec: exec has no command']],
    [`${template('')}exec {\n enabled = false\n command = "serve"\n}\n`, ['todo 6 exec: exec is not enabled']],
  ] as const) {
    const { config: one, todo } = await importText(t, 'consul-template', { 'c.hcl': text });
    t.strictSame(one.templates, [none], text);
    t.strictSame(todo, whys, text);
  }
});

t.test('a template that is read from another place than its path is named', async (t) => {
  const block = (source: string, name: string) =>
    `template {\n  source = "${source}"\n  destination = "/etc/${name}"\n}\n`;
  const one = await importText(t, 'consul-template', { 'c.hcl': block('/none/a/x.ctmpl', 'x'), 'x.ctmpl': 'x' }, [
    'c.hcl',
  ]);
  t.strictSame(one.lines, ['difference 2 source: /none/a/x.ctmpl cannot be read, and x.ctmpl was read in its place']);
  const two = await importText(
    t,
    'consul-template',
    { 'c.hcl': block('/none/a/x.ctmpl', 'x') + block('/none/b/x.ctmpl', 'y'), 'x.ctmpl': 'x' },
    ['c.hcl'],
  );
  t.match(two.todo, [/^todo 6 source: \/none\/b\/x\.ctmpl cannot be read, and x\.ctmpl .* \/none\/a\/x\.ctmpl$/]);
});

t.test('a template of consul-templaterb needs a command, and a destination of its own', async (t) => {
  const { todo, config } = await importText(t, 'consul-templaterb', { 'a.cfg.erb': 'a\n', 'b.cfg': 'b\n' });
  t.strictSame(
    todo.map((line) => line.replace(/: .*/, '')),
    ['todo 1 reload', 'todo 1 reload', 'todo 1 destination'],
  );
  t.equal(config.templates[1].destination, 'TODO');
});

t.test('only Ruby that means the same in Handlebars is translated', async (t) => {
  const each = (code: string) => `<% ${code}.each do |s| %><%= s['Node']['Node'] %><% end %>`;
  const cases: readonly (readonly [erb: string, result: 'marked' | 'translated'])[] = [
    [each("service('a').sort { |a, b| a['Node']['Node'] <=> b['Node']['Node'] }"), 'translated'],
    [each("service('a').sort_by { |one| one['Node']['Node'] }"), 'translated'],
    [each('service(\'a\').sort_by { |one| one["Node"]["Node"] }'), 'translated'],
    [each("service('a').sort { |a, b| b['Node']['Node'] <=> a['Node']['Node'] }"), 'marked'],
    [each("service('a').sort_by { |one| -one['Node']['Node'] }"), 'marked'],
    [each("service('a').sort_by { |one| one['Node']['Address'] }"), 'marked'],
    [each("service('a').sort_by { |one| one['Node']['Node'].reverse }"), 'marked'],
    ["<% if !ENV['A'] == 'b' %>x<% end %>", 'marked'],
    ["<% if !(ENV['A'] == 'b') %>x<% end %>", 'translated'],
    ["<% if service('a').any? && !service('a').empty? %>x<% end %>", 'translated'],
    ["<% service('a').each do |s| %><% if s['Service']['Tags'].any? %>x<% end %><% end %>", 'translated'],
    ["<% service('a').each do |s| %><% if s['Service']['Tags'] %>x<% end %><% end %>", 'marked'],
    ["<% service('a').each do |s| %><% if s['Service']['Port'] %>x<% end %><% end %>", 'marked'],
    ["<% service('a').each do |s| %><% unless s.service_address %>x<% end %><% end %>", 'marked'],
    ["<% service('a').each do |s| %><%= s.service_address || 'none' %><% end %>", 'marked'],
    ["<% if service('a') %>x<% end %>", 'marked'],
  ];
  for (const [erb, result] of cases)
    t.equal(importErb('a.erb', erb).remarks.length > 0 ? 'marked' : 'translated', result, erb);
});

t.test("what the import says of the bundled template's timeout is so", async (t) => {
  const text = await readFile(path.join(projectDir, 'templates/twemproxy.yml.hbs'), 'utf8');
  t.match(text, 'timeout: {{default settings.timeout 400}}');
});
