import { execa } from 'execa';
import t from 'tap';
import { runCommand } from './command.ts';

async function scriptFor(shell: string): Promise<string> {
  const { code, stdout, stderr } = await runCommand(['completion', shell]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

const script = await scriptFor('bash');

/** What a real bash offers for the last of these words. */
async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const ask = `COMP_WORDS=(switchmaster ${quoted}); COMP_CWORD=${words.length}; _switchmaster; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['--norc', '-c', `${script}\n${ask}`], { cwd: import.meta.dirname });
  return stdout.split('\n').filter((line) => line !== '');
}

t.test('bash completes commands, then their options, and paths where a path is wanted', async (t) => {
  t.strictSame(await complete('fail'), ['failover']);
  t.ok((await complete('')).includes('doctor'));
  t.strictSame(await complete('failover', 'shard1', '--rep'), ['--replica']);
  t.strictSame(await complete('--debug', 'drill', '--pro'), ['--proxy']);
  t.strictSame(await complete('completion', 'z'), ['zsh']);
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
  t.match(zsh, /failover\) _arguments .*'\*--replica\[/);
});

t.test('another shell is wrong usage', async (t) => {
  t.equal((await runCommand(['completion', 'cmd'])).code, 2);
  t.equal((await runCommand(['completion'])).code, 2);
});
