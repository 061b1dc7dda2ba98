import { execa } from 'execa';
import t from 'tap';
import { brokenCluster, masterAt } from '../http/page/world.ts';
import { listen, serve } from '../http/serve.ts';
import { exampleViews } from '../http/views.ts';
import { waitFor } from '../sandbox/condition.ts';
import { runCommand } from './command.ts';

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['completion', shell]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

const script = await scriptFor('bash');

/** What a real bash offers for the last of these words, where a daemon knows two masters. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(switchmaster ${quoted}); COMP_CWORD=${words.length}; _switchmaster; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa(
    'bash',
    ['--norc', '-c', `${script}\nswitchmaster() { [ "$*" = complete-names ] && printf 'shard1\nshard2\n'; }\n${ask}`],
    { cwd: import.meta.dirname },
  );
  return stdout.split('\n').filter((line) => line !== '');
}

t.test('bash completes commands, then their options, and paths where a path is wanted', async (t) => {
  t.strictSame(await complete('fail'), ['failover']);
  t.ok((await complete('')).includes('doctor'));
  t.strictSame(await complete('failover', 'shard1', '--rep'), ['--replica']);
  for (const command of ['why', 'watch', 'failover', 'rebase'])
    t.strictSame(await complete(command, 'sh'), ['shard1', 'shard2'], command);
  t.strictSame(await complete('check', 'sh'), []);
  t.strictSame(await complete('--debug', 'drill', '--pro'), ['--proxy']);
  t.strictSame(await complete('completion', 'z'), ['zsh']);
  t.strictSame(await complete('maintenance', 'o'), ['on', 'off']);
  t.strictSame(await complete('maintenance', 'on', 'sh'), ['shard1', 'shard2']);
  t.strictSame(await complete('check', '--config', 'completion.t'), ['completion.test.ts']);
  t.strictSame(await complete('check', '-c', 'completion.t'), ['completion.test.ts']);
  t.strictSame(await complete('nonsense', '--'), []);
});

t.test('the scripts for zsh and fish have every command and option', async (t) => {
  const [zsh, fish] = await Promise.all([scriptFor('zsh'), scriptFor('fish')]);
  t.match(zsh, /^#compdef switchmaster\n/);
  const { stdout } = await runCommand(['--help']);
  const commands = [...stdout.matchAll(/^ {2}([a-z]+)(?: \[| <| {2})/gm)]
    .map((match) => match[1] ?? '')
    .filter((name) => name !== 'help');
  t.ok(commands.length > 8);
  for (const name of commands) {
    t.match(zsh, new RegExp(`^ +${name}\\) _arguments `, 'm'), name);
    t.match(fish, new RegExp(`__fish_use_subcommand -f -a ${name} `), name);
  }
  t.match(fish, "complete -c switchmaster -n '__fish_seen_subcommand_from check' -s c -l config -r -F -d ");
  t.match(zsh, /failover\) _arguments '1:master:_switchmaster_names' .*'\*--replica\[/);
  t.match(fish, "from failover' -f -a '(switchmaster complete-names 2>/dev/null)'");
});

t.test(
  'the names are those of masters and clusters that a shell takes as one word; none without an answer',
  async (t) => {
    const masters = [masterAt(1), masterAt(2, { name: 'my master' })];
    const { server } = serve(t, exampleViews({ masters, clusters: [brokenCluster] }));
    const api = `http://127.0.0.1:${await listen(server)}`;
    // The program gives the daemon a second, so that the shell does not hang.
    const names = async () => (await runCommand(['complete-names', '--api', api])).stdout.split('\n').filter(Boolean);
    const found = await waitFor('names', names, { until: ({ length }) => length > 0 });
    t.strictSame(found, ['shard1', 'sessions']);
    await server.close();
    t.match(await runCommand(['complete-names', '--api', api]), { code: 0, stdout: '', stderr: '' });
  },
);

t.test('the manual page has every command and option, and no line of text that roff takes for a request', async (t) => {
  const { stdout } = await runCommand(['manual']);
  const { stdout: help } = await runCommand(['--help']);
  const commands = [...help.matchAll(/^ {2}([a-z]+)(?: \[| <| {2})/gm)].map((match) => match[1] ?? '');
  for (const name of commands.filter((name) => name !== 'help')) t.match(stdout, `.SS "switchmaster ${name}`);
  t.match(stdout, '\n.B \\-\\-replica <host:port>\n');
  t.match(stdout, '\n  $ switchmaster completion bash > /etc');
  const requests = stdout
    .split('\n')
    .filter((line) => /^[.']/.test(line) && !/^\.(TH|SH|SS|TP|B|PP|nf|fi)( |$)/.test(line));
  t.strictSame(requests, []);
});

t.test('another shell is wrong usage', async (t) => {
  t.equal((await runCommand(['completion', 'cmd'])).code, 2);
  t.equal((await runCommand(['completion'])).code, 2);
});
