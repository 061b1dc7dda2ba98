import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { runCommand } from '../../../../lib/renderer/apply/command.ts';
import type { ShellPool } from '../../../../lib/renderer/apply/shell/pool.ts';
import { type ShellKind, writeScript } from '../../../../lib/renderer/apply/shell/script.ts';
import { findShells, openPool, untilFull } from './shells.ts';

const { signal } = new AbortController();

type How = { shells?: ShellPool; custom?: Record<string, string>; denylist?: readonly string[] };

async function run(argv: readonly string[], { shells, custom = {}, denylist = ['_'] }: How = {}): Promise<string> {
  const env = { inherit: 'all', allowlist: [], denylist, custom } as const;
  const { output } = await runCommand({ command: { argv, env, timeoutMs: 30_000 }, signal, shells });
  return output;
}

const statusLine = /^(?:Sig(?:Blk|Ign|Cgt)|Umask|Cap\w+|NoNewPrivs|Seccomp|[UG]id|Groups):/;

for (const { name, shell } of findShells(t)) {
  t.test(`a command in ${name} is the same as one that is started directly`, async (t) => {
    const pool = await openPool(t, { shell });
    /** Asserts that a waiting shell became the command. */
    const both = async (argv: readonly string[], how: How = {}) => {
      const [pid] = await untilFull(pool);
      const inShell = await run(argv, { ...how, shells: pool });
      t.notMatch(pool.waiting, [pid], 'a waiting shell was used');
      return [inShell, await run(argv, how)] as const;
    };
    const same = async (argv: readonly string[], how: How = {}) => {
      const [inShell, direct] = await both(argv, how);
      t.equal(inShell, direct, argv.join(' '));
      return inShell;
    };

    await t.test('environment', async (t) => {
      const custom = {
        EMPTY: '',
        QUOTES: `it's "x" \\ $HOME \`id\``,
        LINES: 'two\nlines ',
        UTF8: 'ü€😀\x81\x01\x7f',
        LC_ALL: 'xx_XX.missing',
        TILDE: '~:~',
      };
      const levels = [
        { denylist: ['_', 'SHLVL', 'PWD', 'OLDPWD'], custom },
        { custom: { ...custom, SHLVL: '3', PWD: '/else where', OLDPWD: '/' } },
      ];
      for (const how of levels) {
        const [inShell, direct] = await both(['/bin/cat', '/proc/self/environ'], how);
        t.strictSame(inShell.split('\0').toSorted(), direct.split('\0').toSorted());
      }
    });

    await t.test('words', async () => {
      const words = ['', "it's", ' a  b ', '$HOME `id` \\ "x" ; # * ~ !', 'two\nlines', 'ü€😀\x81\x01\x7f', '-n', '--'];
      await same(['/bin/sh', '-c', 'tr "\\0" "\\001" < /proc/$$/cmdline', ...words]);
      await same(['/bin/cat', '/proc/self/comm']);
    });

    await t.test('a name without a slash', async (t) => {
      const program = (text: string) => ({ mine: `#!/bin/sh\necho "${text} $0 $*"\n` });
      const folder = t.testdir({ first: program('first'), second: program('second') });
      for (const place of ['first', 'second']) chmodSync(join(folder, place, 'mine'), 0o755);
      const custom = { PATH: `${folder}/first:${folder}/second:/usr/bin:/bin` };
      const [inShell, direct] = name === 'busybox' ? [] : await both(['mine', 'a'], { custom });
      t.equal(inShell, direct);
      t.match(await run(['mine', 'a'], { custom, shells: pool }), /^first \S+\/first\/mine a$/);
    });

    await t.test('each part of a script runs nothing', async (t) => {
      const kind = name as ShellKind;
      const env = { PATH: '/usr/bin:/bin' };
      const script = writeScript(kind, { file: '/bin/echo', argv0: '/bin/echo', env, args: ['ran', "it's\na"] }) ?? '';
      t.match(
        spawnSync(shell, { input: script, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] }).stdout.toString(),
        /^ran it/,
      );
      for (let length = 1; length < script.length - 2; length += 1) {
        const input = script.slice(0, length);
        const { stdout, output } = spawnSync(shell, { input, stdio: ['pipe', 'pipe', 'pipe', 'pipe'] });
        t.equal(`${stdout}${output[3]}`, '', input);
      }
    });

    await t.test('signals, rights, umask, nice value, folder, input and descriptors', async (t) => {
      const [inShell, direct] = await both(['/bin/cat', '/proc/self/status']);
      const facts = (status: string) => status.split('\n').filter((line) => statusLine.test(line));
      t.strictSame(facts(inShell), facts(direct));
      t.ok(facts(inShell).length > 5);
      await same(['/usr/bin/nice']);
      await same(['/bin/readlink', '/proc/self/cwd', '/proc/self/fd/0']);
      const [files, expected] = await both(['/bin/ls', '-l', '/proc/self/fd']);
      const links = (listing: string) =>
        listing
          .split('\n')
          .flatMap((line) => / (\d+ -> .*)$/.exec(line)?.[1] ?? [])
          .map((link) => link.replace(/\S*switchmaster-output\S*/, 'output').replace(/\/proc\/\d+\//, '/proc/self/'));
      t.strictSame(links(files), links(expected));
      t.match(links(files), ['0 -> /dev/null', '1 -> output (deleted)', '2 -> output (deleted)']);
      t.notMatch(files, 'socket:');
      await same(['/bin/cat', '/proc/self/limits']);
    });

    await t.test('a process that leads its group and its session, and is a child of this one', async (t) => {
      const [pid] = await untilFull(pool);
      const fields = (await run(['/bin/cat', '/proc/self/stat'], { shells: pool })).split(' ');
      t.strictSame([fields[0], ...fields.slice(3, 6)], [`${pid}`, `${process.pid}`, `${pid}`, `${pid}`]);
    });

    await t.test('ends', async (t) => {
      const error = (script: string, shells?: ShellPool) =>
        run(['/bin/sh', '-c', script], shells === undefined ? {} : { shells }).then(
          () => undefined,
          ({ code, details: { exitCode, signal: by, output } }) => ({ code, exitCode, by, output }),
        );
      for (const script of ['exit 0', 'exit 1', 'exit 127', 'exit 137', 'kill -9 $$', 'kill $$', 'echo no; exit 3']) {
        const [pid] = await untilFull(pool);
        t.strictSame(await error(script, pool), await error(script), script);
        t.notMatch(pool.waiting, [pid], 'a waiting shell was used');
      }
    });
  });
}

t.test('this machine has a shell to test with', async (t) => {
  t.ok(findShells(t).length > 0);
});
