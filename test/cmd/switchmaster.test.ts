import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { fold } from '../../cmd/terminal.ts';
import { runCommand } from './command.ts';
import { runProgram } from './program.ts';

const packageFile = new URL('../../package.json', import.meta.url);
t.jobs = 2;

t.test('an error about a server ends with a command to type, also as data', async (t) => {
  const config = `${t.testdir({ 'a.yml': 'consul: { address: "http://127.0.0.1:1" }\n' })}/a.yml`;
  const { code, stdout, stderr } = await runCommand(['forget', 'shard1', '--dry-run', '--json', '--config', config]);
  t.equal(code, 1);
  t.match(JSON.parse(stdout), { error: { code: 'consul-unreachable', hint: 'consul members' } });
  t.match(stderr, /\n {2}\$ consul members\n$/);
  const missing = await runCommand(['doctor', '--config', '/nowhere.yml']);
  t.match(missing.stderr, /there is no such file \(give a config file, or a folder with one, after --config\)\n$/);
});

t.test('forget does not ask for a confirmation of what it has not shown', async (t) => {
  const { code, stdout, stderr } = await runCommand(['forget', 'shard1', '--json']);
  t.equal(code, 2);
  t.match(stderr, /^error: --json needs --yes or --dry-run\n/);
  t.match(JSON.parse(stdout), { error: { code: 'usage', message: '--json needs --yes or --dry-run' } });
});

t.test('the versions that work together are data too', async (t) => {
  const { code, stdout } = await runCommand(['version', '--json']);
  t.equal(code, 0);
  const { version } = JSON.parse(readFileSync(packageFile, 'utf8'));
  t.match(JSON.parse(stdout), {
    ...{ version, node: { version: process.versions.node, needed: '22.18' } },
    platform: { os: process.platform, architecture: process.arch },
    consul: { oldest: '1.8', before: '2.0' },
  });
  t.match((await runCommand(['version', '-o', 'yaml'])).stdout, `version: ${version}\n`);
  t.match((await runCommand(['version', '-o', 'table'])).stdout, /^switchmaster +\S+\ncommit +\S/);
});

t.test('the version is the package', async (t) => {
  const { code, stdout } = await runProgram(['--version']);
  t.equal(code, 0);
  t.equal(stdout.trim(), JSON.parse(readFileSync(packageFile, 'utf8')).version);
});

t.test('help shows the commands and examples, and is a success', async (t) => {
  const { code, stdout, stderr } = await runCommand(['--help']);
  t.equal(code, 0);
  t.match(stdout, /run \[options\][\s\S]*check \[options\][\s\S]*Examples:[\s\S]*Exit codes/);
  t.equal(stderr, '');
});

t.test('a reader that stops early is no failure', async (t) => {
  const program = fileURLToPath(new URL('../../cmd/switchmaster.ts', import.meta.url));
  const script = `"$0" "$1" --help | head -1; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = await execa('bash', ['-c', script, process.execPath, program], { timeout: 20_000 });
  t.match(stdout, /^Usage: switchmaster .*\n0$/);
  t.equal(stderr, '');
});

t.test('help of a subcommand has examples of its own', async (t) => {
  const { code, stdout } = await runCommand(['run', '--help']);
  t.equal(code, 0);
  t.match(stdout, /HUP +reload[\s\S]*Example:/);
});

t.test('long lines are broken between words, and commands stay whole', async (t) => {
  const text = 'It is one line that is too long.\n  $ switchmaster why shard1 --limit 1\n  indented text is folded\n';
  const folded = [
    'It is one line that',
    'is too long.',
    '  $ switchmaster why shard1 --limit 1',
    '  indented text is',
    '  folded',
    '',
  ];
  t.equal(fold(text, 20), folded.join('\n'));
  t.equal(fold(text, Infinity), text);
});

t.test('wrong usage exits with 2 and says what was meant', async (t) => {
  const { code, stderr } = await runProgram(['chek']);
  t.equal(code, 2);
  t.match(stderr, /unknown command 'chek'\n\(Did you mean check\?\)/);
  t.equal((await runCommand(['run', '--bogus'])).code, 2);
  t.equal((await runCommand([])).code, 2);
});

t.test('check lists every problem and exits with 2', async (t) => {
  const folder = t.testdir({ 'c.yml': 'sentinel:\n  addreses: []\nbogus: 1\n', 'good.yml': 'log: {}\n' });
  const bad = await runCommand(['check', '--config', `${folder}/c.yml`]);
  t.equal(bad.code, 2);
  t.equal(bad.stdout, '');
  t.match(bad.stderr, /^config-invalid: The configuration has 2 problems:\n/);
  t.match(bad.stderr, `${folder}/c.yml:2:3: sentinel.addreses: unknown key (did you mean addresses?)`);
  t.notMatch(bad.stderr, /\n +at /);
  const good = await runCommand(['check', '--config', `${folder}/good.yml`]);
  t.match(good, { code: 0, stdout: /^read .*good\.yml\n.*\nThe configuration is good\.\n$/s, stderr: '' });
});

t.test('check prints the same as JSON', async (t) => {
  const folder = t.testdir({ 'c.yml': 'bogus: 1\n', 'good.yml': 'log: {}\n' });
  const bad = await runCommand(['check', '--json', '--config', `${folder}/c.yml`]);
  t.equal(bad.code, 2);
  t.match(JSON.parse(bad.stdout), {
    valid: false,
    problems: [{ path: 'bogus', message: 'unknown section', place: { line: 1, column: 1 } }],
  });
  const good = await runCommand(['check', '--json', '-c', `${folder}/good.yml`]);
  t.match(JSON.parse(good.stdout), { valid: true, problems: [], warnings: [], obstacles: [], read: [/good\.yml$/] });
});

t.test('a stack trace is shown only to those who ask', async (t) => {
  const folder = t.testdir({ 'c.yml': 'bogus: 1\n' });
  const { code, stderr } = await runCommand(['--debug', 'check', '--config', `${folder}/c.yml`]);
  t.equal(code, 2);
  t.match(stderr, /\n +at /);
});

t.test('check compiles every template', async (t) => {
  const folder = t.testdir({
    'c.yml': 'templates:\n  - { source: ./a.hbs, destination: a }\n  - { source: haproxy.cfg.hbs, destination: b }\n',
    'a.hbs': 'x {{nosuchhelper "y"}}\n',
  });
  const { code, stderr } = await runCommand(['check', '--config', folder]);
  t.equal(code, 2);
  t.match(stderr, /a problem:\n +\S+c\.yml:2:15: templates\[0\]\.source: a\.hbs:1:\d+: .*nosuchhelper/);
});

t.test('check warns where no port is named for the masters', async (t) => {
  const folder = t.testdir({
    'c.yml':
      'templates:\n  - { source: haproxy.cfg.hbs, destination: ./a, vars: { base_port: 1 } }\n' +
      '  - { source: twemproxy-stable.yml.hbs, destination: ./b, vars: { ports: { shard1: 16379 } } }\n' +
      '  - { source: haproxy.cfg.hbs, destination: ./c, vars: { twemproxy_bind: "*:1" } }\n',
  });
  const { code, stdout } = await runCommand(['check', '--config', folder]);
  t.equal(code, 0);
  t.strictSame(stdout.match(/^warning: templates\S+ (is missing|has no effect)/gm), [
    'warning: templates[0].vars.base_port has no effect',
    'warning: templates[0].vars.ports is missing',
  ]);
});

t.test('check warns where the socket of the reload is not the one that the template gives HAProxy', async (t) => {
  let port = 16379;
  const template = (name: string, socket: string, vars = {}) => ({
    source: 'haproxy.cfg.hbs',
    destination: `./${name}.cfg`,
    vars: { ports: { shard1: port++ }, ...vars },
    reload: { haproxy: { socket, fallback: ['true'] } },
  });
  const folder = t.testdir({
    'c.yml': JSON.stringify({
      templates: [
        template('differs', '/run/other.sock'),
        template('default', '/run/haproxy/admin.sock'),
        template('same', '/run/other.sock', { stats_socket: '/run/other.sock' }),
        template('tcp', '127.0.0.1:9999', { stats_socket: 'ipv4@127.0.0.1:9999' }),
      ],
    }),
  });
  const { code, stdout } = await runCommand(['check', '--config', folder]);
  t.equal(code, 0);
  t.strictSame(stdout.match(/^warning: \S+ is \S+/gm), [
    'warning: templates[0].reload.haproxy.socket is /run/other.sock,',
  ]);
});
