import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parameters } from '../property/parameters.ts';
import { renderText, textOf } from './world.ts';

/*
 * A file of KEY=value lines: no value becomes a command for a shell that reads the file, or a variable that controls
 * programs.
 */

function print(template: string, x: unknown): string {
  return textOf(renderText({ text: template, format: 'env', vars: { x } }));
}

t.test('what precedes = is a name', async (t) => {
  const names = [
    'x[$(id)]',
    'a b',
    'a-b',
    'a.b',
    '1a',
    'a;id',
    'a=b',
    'A+',
    'ünï',
    '',
    '#a',
    'export PATH',
    '-x',
    'a[0]',
  ];
  for (const name of names) t.match(print('{{vars.x}}=1\n', name), /^value-refused/, name);
  t.match(print('{{vars.x}}=1\n', 'a-b'), /the name of a variable is a letter or _.*see the helper envName/);
  t.match(print('export {{vars.x}}=1\n', 'a b'), /^value-refused/);
  t.match(print('A_{{vars.x}}=1\n', '-'), /^value-refused/);
  t.equal(print('A_{{vars.x}}=1\n', '2b'), 'A_2b=1\n');
  t.equal(print('export {{vars.x}}=1\n', '_a'), 'export _a=1\n');
  t.equal(print('# {{vars.x}}\n', 'a b'), '# a b\n');
  t.equal(print('{{raw vars.x}}=1\n', 'PATH'), 'PATH=1\n', 'the author vouches for it');
});

t.test('only the template itself sets variables that control shells, loaders and runtimes', async (t) => {
  const steering = [
    'PATH',
    'LD_PRELOAD',
    'LD_AUDIT',
    'BASH_ENV',
    'ENV',
    'IFS',
    'PS4',
    'PROMPT_COMMAND',
    'NODE_OPTIONS',
    'NODE_COMPILE_CACHE',
    'RUBYGEMS_GEMDEPS',
    'PKCS11_PROVIDER_MODULE',
    'AWS_CONFIG_FILE',
    'JE_MALLOC_CONF',
    'GLIBC_TUNABLES',
    'PERL5DB',
  ];
  const more = [
    'PYTHONPATH',
    'PERL5OPT',
    'RUBYOPT',
    'JAVA_TOOL_OPTIONS',
    '_JAVA_OPTIONS',
    'JDK_JAVA_OPTIONS',
    'GIT_SSH',
  ];
  const tools = [
    'NULLCMD',
    'LIBPATH',
    'KRB5_CONFIG',
    'TZDIR',
    'MAKEFLAGS',
    'TAR_OPTIONS',
    'precmd_functions',
    'AWKPATH',
  ];
  const exact =
    `GS_LIB GS_OPTIONS GS_FONTPATH GS_DEVICE HGRCPATH HGPLAIN HGEDITOR HG RUBYLIB RUBYOPT PERL5LIB PERLLIB PERL_UNICODE
    PERLIO PSQLRC PSQL_PAGER PSQL_EDITOR PSQL_HISTORY PYTHONSTARTUP LUA_PATH LUA_PATH_5_4 LUA_CPATH NGINX JRE_HOME CATALINA_HOME
    CATALINA_BASE SPRING_APPLICATION_JSON SPRING_CONFIG_LOCATION OCAMLRUNPARAM CAML_LD_LIBRARY_PATH NODE_CHANNEL_FD SUDO_EDITOR
    CUDA_INJECTION64_PATH`.split(/\s+/);
  const desktop = ['GTK_MODULES', 'QT_PLUGIN_PATH', 'GIO_MODULE_DIR', 'RUSTC_WRAPPER', 'PIP_INDEX_URL', 'TMP'];
  for (const name of [
    ...steering,
    ...more,
    ...tools,
    ...exact,
    ...desktop,
    'https_proxy',
    'SHELLOPTS',
    'HOME',
    'GCONV_PATH',
    'LUA_INIT',
  ]) {
    t.match(print('{{vars.x}}=1\n', name), /value-refused.*controls shells, loaders or runtimes/, name);
    t.equal(print(`${name}={{vars.x}}\n`, '1'), `${name}=1\n`);
  }
  t.match(print('LD_{{vars.x}}=1\n', 'PRELOAD'), /controls shells/);
  for (const name of [
    'REDIS_HOST',
    'PATHS',
    'MY_PATH',
    'HOST',
    'PORT',
    'LDAP_URL',
    'ENVIRONMENT',
    'STATUS',
    'MAIL_HOST',
    'TMP_FILE',
    'GS_BUCKET',
    'HGRAPH_URL',
    'RUBY_DB_HOST',
    'PERLA_URL',
    'PSQL_HOST',
    'NGINX_HOST',
  ]) {
    t.equal(print('{{vars.x}}=1\n', name), `${name}=1\n`);
  }
});

t.test('no value is a command', async (t) => {
  for (const template of [
    '{{vars.x}}\n',
    '{{vars.x}}',
    'A=1 {{vars.x}}\n',
    'A=1;{{vars.x}}\n',
    'A=1 && {{vars.x}}\n',
  ]) {
    t.match(print(template, 'reboot'), /value-refused.*a shell would run it/, template);
  }
  for (const template of ['A=$({{vars.x}})\n', 'A="$({{vars.x}})"\n', 'A=`{{vars.x}}`\n', 'A=1|{{vars.x}}\n']) {
    t.match(print(template, 'reboot'), /value-refused/, template);
  }
  t.match(print("A='a' {{vars.x}}\n", 'reboot'), /value-refused/);
  t.equal(print('export A=1 B={{vars.x}}\n', '2'), 'export A=1 B=2\n');
  t.equal(print('A="a;b $c {{vars.x}} (d)"\n', 'e f'), 'A="a;b $c e f (d)"\n');
  t.equal(print("A='$(a) {{vars.x}}'\n", 'b'), "A='$(a) b'\n");
  t.equal(print('URL=redis://{{vars.x}}/0?a=b&c\n', 'h'), 'URL=redis://h/0?a=b&c\n');
});

t.test('a backslash is refused where some readers take it for an escape or a continued line', async (t) => {
  for (const x of ['a\\', '\\', 'a\\\\b', "it's\\"]) {
    for (const template of ['A={{vars.x}}\n', 'export A={{vars.x}}', "A='{{vars.x}}'\n", 'A="{{vars.x}}"\n'])
      t.match(print(template, x), /^value-refused/, `${template} ${x}`);
  }
  t.equal(print('A={{vars.x}}\n', 'DOMAIN\\user'), "A='DOMAIN\\user'\n");
  for (const format of ['env', 'conf'] as const) {
    const text = (x: string) => textOf(renderText({ text: '# {{vars.x}}\nB=1\n', format, vars: { x } }));
    t.match(text('a\\'), /^value-refused.*the next line a part of it/, format);
    t.equal(text('a\\b'), '# a\\b\nB=1\n', format);
  }
});

t.test('a shell that reads the file sets variables and runs nothing', async (t) => {
  const folder = t.testdir({});
  const script = join(folder, 'file.env');
  const text = fc.oneof(
    fc.constantFrom('$(touch ran)', '`touch ran`', 'x[$(touch ran)]', 'touch ran', 'a;touch ran', 'A', 'a=b', '>ran'),
    fc.string({ unit: fc.constantFrom(...'aA_=$(){}[];&|`\'"\\ #>~*!') }),
  );
  const lines = [
    '{{vars.x}}={{vars.x}}\n',
    'A={{vars.x}}\n',
    'A="{{vars.x}}"\n',
    "A='{{vars.x}}'\n",
    'A_{{vars.x}}=1\n',
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...lines), text, async (template, x) => {
      const written = print(template, x);
      if (written.startsWith('value-refused')) return true;
      writeFileSync(script, written);
      const run = 'set -e; A=; PATH=/nowhere; . ./file.env; printf %s "$A"; [ ! -e ran ]';
      const { status, stdout } = spawnSync('bash', ['-c', run], { cwd: folder, encoding: 'utf8' });
      return status === 0 && (!template.startsWith('A=') || stdout === x);
    }),
    parameters({ runs: 60 }),
  );
  t.pass('every value');
});
