import t from 'tap';
import { type ShellKind, writeScript } from '../../../../lib/renderer/apply/shell/script.ts';

type Input = {
  kind?: ShellKind;
  file?: string;
  argv0?: string;
  env?: Record<string, string>;
  args?: readonly string[];
};

function write({ kind = 'dash', file = 'touch', argv0 = file, env = { PATH: '/bin' }, args = ['a'] }: Input = {}) {
  return writeScript(kind, { file, argv0, env, args });
}

t.test('a script exports, removes what the shell adds, answers, and executes the program', async (t) => {
  t.equal(
    write(),
    "{ { export PATH='/bin' && unset PWD OLDPWD SHLVL && :; } 2>/dev/null && echo go >&3 && exec 'touch' 'a' </dev/null 3>&-; }\n",
  );
  t.equal(
    write({ env: { PATH: '/bin', PWD: '/', OLDPWD: '/', SHLVL: '2' }, args: [] }),
    "{ { export PATH='/bin' PWD='/' OLDPWD='/' SHLVL='2' && :; } 2>/dev/null && echo go >&3 && exec 'touch' </dev/null 3>&-; }\n",
  );
  t.match(write({ env: {}, file: '/bin/touch' }), /^\{ \{ unset PATH PWD OLDPWD SHLVL && :; \}/);
});

t.test('no character of a word means anything to the shell', async (t) => {
  const words: readonly (readonly [string, string])[] = [
    ['', "''"],
    ["it's", "'it'\\''s'"],
    ["''", "''\\'''\\'''"],
    ['$HOME `id` "x" \\ ; # * ~ ! & | > {}', '\'$HOME `id` "x" \\ ; # * ~ ! & | > {}\''],
    ['two\nlines\r\ttab', "'two\nlines\r\ttab'"],
    ['ü€😀', "'ü€😀'"],
    ['\x01\x7f\x81', "'\x01\x7f\x81'"],
  ];
  for (const [word, quoted] of words) {
    t.match(write({ args: [word] })?.endsWith(` && exec 'touch' ${quoted} </dev/null 3>&-; }\n`), true, word);
    t.ok(write({ env: { A: word } })?.startsWith(`{ { export A=${quoted} && `), word);
  }
});

t.test('bash lowers SHLVL by one, and adds it where it is missing', async (t) => {
  t.match(write({ kind: 'bash' }), / && exec \/usr\/bin\/env -u SHLVL 'touch' 'a' </);
  t.match(write({ kind: 'bash', env: { SHLVL: '0' } }), /export SHLVL='1' .* && exec 'touch' 'a' </);
  t.match(write({ kind: 'bash', env: { SHLVL: '99' } }), /export SHLVL='100' /);
});

t.test('a command that a shell would start in another way is started directly', async (t) => {
  const names = [
    'A.B',
    'BASH_FUNC_x%%',
    '1A',
    '',
    'IFS',
    'PS4',
    'OPTIND',
    'PPID',
    'UID',
    'EUID',
    'BASHOPTS',
    'SHELLOPTS',
  ];
  names.push('HISTFILE', 'HISTFILESIZE', 'HISTSIZE', 'histchars', 'MAILPATH', 'GLOBIGNORE', 'IGNOREEOF', 'INPUTRC');
  names.push('ENV', 'BASH_ENV', 'LINENO', 'RANDOM', 'SECONDS', 'GROUPS', 'DIRSTACK', 'EPOCHSECONDS');
  for (const name of names) t.equal(write({ env: { PATH: '/bin', [name]: '1' } }), undefined, name);
  for (const name of ['UIDS', 'MY_IFS', 'MY_HISTFILE', 'ENVIRONMENT', 'TERM', 'LC_ALL', '_', 'HOSTNAME'])
    t.ok(write({ env: { [name]: '1' } }), name);
  const direct: readonly Input[] = [
    { args: ['a\0b'] },
    { env: { A: 'a\0b' } },
    { file: '-a' },
    { file: '' },
    { file: '/usr/bin/touch', argv0: 'touch' },
    { args: ['x'.repeat(70_000)] },
    { kind: 'busybox', file: '/bin/touch', args: ['x'.repeat(9_000)] },
    { kind: 'bash', args: ['x'.repeat(5_000)] },
    { kind: 'busybox' },
    { kind: 'bash', env: { _: '/bin/touch' } },
    { kind: 'bash', env: { SHLVL: '' } },
    { kind: 'bash', env: { SHLVL: '01' } },
    { kind: 'bash', env: { SHLVL: '100' } },
    { kind: 'bash', env: { SHLVL: 'x' } },
    { kind: 'bash', file: './a=b' },
  ];
  for (const input of direct) t.equal(write(input), undefined, JSON.stringify(input).slice(0, 80));
  t.ok(write({ kind: 'busybox', file: '/usr/bin/touch' }));
  t.ok(write({ kind: 'bash', env: { SHLVL: '1' }, file: './a=b' }));
});
