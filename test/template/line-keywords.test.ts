import t from 'tap';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { renderText, textOf } from './world.ts';

/* A value in the place of a keyword or a name, such as a key of `ls`. */

function print(format: TemplateFormat, text: string, x: string): string {
  const values = { x, y: x.slice(0, 3), z: x.slice(3), empty: '' };
  const known = Object.entries(values).map(([key, value]) => [`key(${key})`, { key, value, modifyIndex: 1 }]);
  return textOf(renderText({ text, format, known: Object.fromEntries(known), vars: { x } }));
}

const refused: Readonly<Record<'haproxy' | 'redis' | 'conf', readonly string[]>> = {
  haproxy: [
    'lua-load',
    'lua-prepend-path',
    'setenv',
    'insecure-fork-wanted',
    'external-check',
    'command',
    'user',
    'stats',
  ],
  redis: ['loadmodule', 'LoadModule', 'include', 'rename-command', 'enable-debug-command', 'aclfile', 'dir', 'logfile'],
  conf: ['include', 'load_module', 'notify_master', 'script', 'exec', 'vrrp_script'],
};

for (const [format, keywords] of Object.entries(refused) as ['haproxy' | 'redis' | 'conf', readonly string[]][]) {
  t.test(`${format}: a value is no keyword that runs programs, loads code or reads files`, async (t) => {
    for (const keyword of keywords) {
      for (const template of ['{{key "x"}} a\n', 'a b\n  {{key "x"}} a', '{{key "y"}}{{key "z"}} a', '"{{key "x"}}" a'])
        t.match(print(format, template, keyword), /^value-refused.* runs programs/, `${template} ${keyword}`);
      t.match(print(format, `a {{key "x"}}\n`, keyword), keyword);
      t.match(print(format, `# {{key "x"}}\n`, keyword), keyword);
      t.match(print(format, `${keyword} {{key "x"}}\n`, 'a'), `${keyword} a`);
    }
    for (const keyword of ['maxmemory', 'timeout', 'port'])
      t.match(print(format, '{{key "x"}} 1\n', keyword), `${keyword} 1`);
  });
}

t.test('a value is no second word that completes such a keyword', async (t) => {
  for (const x of ['notification-script', 'client-reconfig-script'])
    t.match(print('redis', 'sentinel {{key "x"}} shard1 /a\n', x), /^value-refused/);
  t.match(print('redis', 'sentinel {{key "x"}} shard1 1\n', 'parallel-syncs'), 'sentinel parallel-syncs shard1 1');
  t.match(print('redis', 'sentinel monitor {{key "x"}} 127.0.0.1 1 1\n', 'include'), 'monitor include');
  t.match(print('haproxy', '  option {{key "x"}}\n', 'external-check'), /^value-refused/);
  for (const x of ['LD_PRELOAD', 'PATH', 'ld_library_path']) {
    t.match(print('haproxy', '  setenv {{key "x"}} a\n', x), /^value-refused/);
    t.match(print('haproxy', '  presetenv "{{key "x"}}" a\n', x), /^value-refused/);
  }
  t.match(print('haproxy', '  setenv {{key "x"}} a\n', 'REGION'), 'setenv REGION a');
});

t.test('conf: no value ends the name that it is a part of', async (t) => {
  for (const template of ['{{key "x"}} = 1\n', 'a_{{key "x"}}=1\n', '{{key "x"}}=1'])
    t.match(print('conf', template, 'a=b'), /^value-refused.*would end the name/, template);
  for (const template of ['[{{key "x"}}]\n', '[a {{key "x"}}]\n'])
    for (const x of ['a]', 'a][b', ']'])
      t.match(print('conf', template, x), /^value-refused.*would end the name/, template);
  t.equal(print('conf', 'url = {{key "x"}}\n', 'a=b'), 'url = a=b\n');
  t.equal(print('conf', 'a={{key "x"}} b=1\n', 'a=b'), 'a=a=b b=1\n');
  t.equal(print('conf', 'listen {{key "x"}};\n', '[::1]:80'), 'listen [::1]:80;\n');
});

const lists: Readonly<Record<string, unknown>> = {
  text: 'dir',
  lines: ['dir /data', ['sentinel', 'deny-scripts-reconfig', 'yes']],
  map: { loadmodule: '/a.so' },
};

t.test('a value that comes from vars alone may be any keyword', async (t) => {
  const same = (text: string, written: string, format: TemplateFormat = 'redis') =>
    t.equal(textOf(renderText({ text, format, vars: lists, partials, known })), written, text);
  const item = { key: 'x', value: 'include', modifyIndex: 1 };
  const known = { 'key(x)': item, 'key-tree(a/)': [{ key: 'a/include', value: 'b', modifyIndex: 1 }] };
  const partials = {
    lines: '{{#each vars.lines}}{{#each (words this)}}{{this}} {{/each}}{{/each}}',
    one: '{{this}} a',
  };
  const lines = 'dir /data sentinel deny-scripts-reconfig yes ';
  same('{{vars.text}} a', 'dir a');
  same('{{toUpper vars.text}} a', 'DIR a');
  same('{{default vars.none "dir"}} a', 'dir a');
  same('{{#each vars.lines}}{{#each (words this)}}{{this}} {{/each}}{{/each}}', lines);
  same('{{#each vars.lines as |line|}}{{#each (words line) as |one|}}{{one}} {{/each}}{{/each}}', lines);
  same('{{> lines}}', lines);
  same('{{#each vars.map}}{{@key}} {{this}}{{/each}}', 'loadmodule /a.so');
  same('{{#with vars}}{{text}} a{{/with}}', 'dir a');
  same('{{#if vars.text}}{{vars.text}} a{{/if}}', 'dir a');
  same('{{> one vars.text}}', 'dir a');
  same('{{#each (tree "a/")}}{{@root.vars.text}} {{../vars.text}}{{/each}}', 'dir dir');
  same('{{vars.text}}=a=b', 'dir=a=b', 'conf');
});

t.test('a value that any other one has a part in is not from vars', async (t) => {
  const tree = [{ key: 'a/include', value: '{"vars":{"text":"include"}}', modifyIndex: 1 }];
  const known = { 'key(x)': { key: 'x', value: 'include', modifyIndex: 1 }, 'key-tree(a/)': tree };
  const partials = {
    one: '{{this}} a',
    text: '{{vars.text}} a',
    both: '{{> one vars.text}} b\nb\n{{> one (key "x")}}',
  };
  const vars = { ...lists, include: 'include' };
  for (const text of [
    '{{default vars.none (key "x")}} a',
    '{{lookup vars (key "x")}} a',
    '{{#each (words (key "x"))}}{{this}} a{{/each}}',
    '{{#with (key "x") as |vars|}}{{vars}} a{{/with}}',
    '{{#each (tree "a/")}}{{key}} a{{/each}}',
    '{{#each (tree "a/")}}{{#with (parseJSON value)}}{{vars.text}} a{{/with}}{{/each}}',
    '{{#each (tree "a/")}}{{#with (parseJSON value)}}{{> text}}{{/with}}{{/each}}',
    '{{#each (tree "a/")}}{{#each @root.vars.map}}{{../key}} a{{/each}}{{/each}}',
    '{{> one (key "x")}}',
    '{{> both}}',
    '{{scratch.Set "a" (key "x")}}{{scratch.Get "a"}} a',
  ])
    t.match(textOf(renderText({ text, format: 'conf', vars, partials, known })), /^value-refused/, text);
});

t.test('an empty value is no part of a keyword', async (t) => {
  for (const format of ['haproxy', 'conf'] as const)
    t.equal(print(format, '{{key "empty"}}user a\n', ''), 'user a\n', format);
});

t.test('conf: names that only begin like a keyword are written', async (t) => {
  for (const x of ['user1', 'modules-api', 'plugins', 'exec-worker', 'daemon1', 'includes', 'notify-api', 'scripts'])
    for (const template of ['{{key "x"}}\n', '{{key "x"}} = 1\n', '{{key "x"}}=1\n', '{{key "x"}} 10.0.0.1\n'])
      t.equal(print('conf', template, x), template.replace('{{key "x"}}', x), `${template} ${x}`);
  for (const x of ['command', 'ExecStart', 'module_path', 'include'])
    for (const template of ['{{key "x"}} = 1\n', '{{key "x"}}=1\n', '{{key "x"}}: 1\n'])
      t.match(print('conf', template, x), /^value-refused/, `${template} ${x}`);
  t.equal(print('conf', 'command={{key "x"}}\n', 'a'), 'command=a\n');
});

t.test('conf: a value after a brace or a semicolon is such a keyword too', async (t) => {
  for (const x of ['include', 'load_module', 'perl_modules', 'user'])
    for (const template of [
      'a { {{key "x"}} /a; }\n',
      'a b; {{key "x"}} /a;\n',
      'a#b; {{key "x"}} a;',
      'a {b "c;";\t{{key "x"}}',
    ])
      t.match(print('conf', template, x), /^value-refused.* runs programs/, `${template} ${x}`);
  for (const template of [
    'a "b; {{key "x"}} c";\n',
    'a # b; {{key "x"}} c\n',
    'a { b {{key "x"}}; }\n',
    'a \'b { {{key "x"}}\'\n',
  ])
    t.match(print('conf', template, 'include'), 'include', template);
});

t.test('conf: a value begins no section', async (t) => {
  for (const template of [
    '{{key "x"}}\n',
    '{{key "x"}}=1\n',
    ' {{key "x"}} = 1\n',
    '{{key "x"}} b\n',
    '{{key "x"}}{{key "x"}}',
  ])
    for (const x of ['[a]', '[web', '[a]b'])
      t.match(print('conf', template, x), /^value-refused.*would begin a section/, `${template} ${x}`);
  t.match(print('conf', 'a {{key "x"}}\n', '[a]'), 'a [a]');
});

t.test('conf: brackets and = are written where they end no name', async (t) => {
  for (const template of ['["{{key "x"}}"],\n', '["{{key "x"}}"]\n', '{{key "x"}} [backup]\n', '{{key "x"}}\n'])
    t.equal(print('conf', template, '[2001:db8::1]:6379'), template.replace('{{key "x"}}', '[2001:db8::1]:6379'));
  for (const template of ['auth {{key "x"}} mode=x\n', '"{{key "x"}}" = 1\n'])
    t.equal(print('conf', template, 'c2VjcmV0=='), template.replace('{{key "x"}}', 'c2VjcmV0=='));
});

t.test('haproxy: parentheses are refused where it is not known whether HAProxy evaluates them', async (t) => {
  for (const template of [
    'http-request set-retries {{key "x"}}',
    'no-such-keyword "{{key "x"}}"',
    'filter bwlim-in a key {{key "x"}} limit 1',
  ])
    t.match(print('haproxy', template, 'env(HOME)'), /^value-refused/, template);
});
