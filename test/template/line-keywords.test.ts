import t from 'tap';
import type { TemplateFormat } from '../../lib/template/format.ts';
import { renderText, textOf } from './world.ts';

/* A value in the place of a keyword or a name, such as a key of `ls`. */

function print(format: TemplateFormat, text: string, x: string): string {
  return textOf(renderText({ text, format, vars: { x, y: x.slice(0, 3), z: x.slice(3) } }));
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
      for (const template of ['{{vars.x}} a\n', 'a b\n  {{vars.x}} a', '{{vars.y}}{{vars.z}} a', '"{{vars.x}}" a'])
        t.match(print(format, template, keyword), /^value-refused.* runs programs/, `${template} ${keyword}`);
      t.match(print(format, `a {{vars.x}}\n`, keyword), keyword);
      t.match(print(format, `# {{vars.x}}\n`, keyword), keyword);
      t.match(print(format, `${keyword} {{vars.x}}\n`, 'a'), `${keyword} a`);
    }
    for (const keyword of ['maxmemory', 'timeout', 'port'])
      t.match(print(format, '{{vars.x}} 1\n', keyword), `${keyword} 1`);
  });
}

t.test('a value is no second word that completes such a keyword', async (t) => {
  for (const x of ['notification-script', 'client-reconfig-script'])
    t.match(print('redis', 'sentinel {{vars.x}} shard1 /a\n', x), /^value-refused/);
  t.match(print('redis', 'sentinel {{vars.x}} shard1 1\n', 'parallel-syncs'), 'sentinel parallel-syncs shard1 1');
  t.match(print('redis', 'sentinel monitor {{vars.x}} 127.0.0.1 1 1\n', 'include'), 'monitor include');
  t.match(print('haproxy', '  option {{vars.x}}\n', 'external-check'), /^value-refused/);
  for (const x of ['LD_PRELOAD', 'PATH', 'ld_library_path']) {
    t.match(print('haproxy', '  setenv {{vars.x}} a\n', x), /^value-refused/);
    t.match(print('haproxy', '  presetenv "{{vars.x}}" a\n', x), /^value-refused/);
  }
  t.match(print('haproxy', '  setenv {{vars.x}} a\n', 'REGION'), 'setenv REGION a');
});

t.test('conf: no value ends the name that it is a part of', async (t) => {
  for (const template of ['{{vars.x}} = 1\n', 'a_{{vars.x}}=1\n', '{{vars.x}}=1'])
    t.match(print('conf', template, 'a=b'), /^value-refused.*would end the name/, template);
  for (const template of ['[{{vars.x}}]\n', '[a {{vars.x}}]\n'])
    for (const x of ['a]', 'a][b', ']'])
      t.match(print('conf', template, x), /^value-refused.*would end the name/, template);
  t.equal(print('conf', 'url = {{vars.x}}\n', 'a=b'), 'url = a=b\n');
  t.equal(print('conf', 'a={{vars.x}} b=1\n', 'a=b'), 'a=a=b b=1\n');
  t.equal(print('conf', 'listen {{vars.x}};\n', '[::1]:80'), 'listen [::1]:80;\n');
});

t.test('haproxy: parentheses are refused where it is not known whether HAProxy evaluates them', async (t) => {
  for (const template of [
    'http-request set-retries {{vars.x}}',
    'no-such-keyword "{{vars.x}}"',
    'filter bwlim-in a key {{vars.x}} limit 1',
  ])
    t.match(print('haproxy', template, 'env(HOME)'), /^value-refused/, template);
});
