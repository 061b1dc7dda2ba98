import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { runCommand } from '../../cmd/command.ts';
import { Program } from '../../cmd/program.ts';

// A busy machine takes its time.
t.setTimeout(240_000);

const config = 'api: { listen: "127.0.0.1:0" }\nconsul: { address: "127.0.0.1:9", tokenFile: token }\n';

t.test(
  'the daemon waits for a token file that is missing and then empty, and a HUP meanwhile does not end it',
  async (t) => {
    const folder = t.testdir({ 'c.yml': config });
    const program = new Program(['run', '--config', folder]);
    t.teardown(() => void program.child.kill('SIGKILL'));
    await program.complains(/waiting 30 s at most: .*\n.*token: there is no such file/);
    program.child.kill('SIGHUP');
    writeFileSync(`${folder}/token`, '');
    await program.complains(/token is empty/);
    writeFileSync(`${folder}/token`, 'secret');
    await program.line('API listening');
    rmSync(`${folder}/token`);
    program.child.kill('SIGHUP');
    await program.line('waiting for files of the config');
    writeFileSync(`${folder}/token`, 'other');
    await program.line('config reloaded');
    program.child.kill('SIGTERM');
    t.equal((await program.end()).code, 0);
  },
);

t.test('if the file does not come, the daemon ends with 1, so that systemd restarts it', async (t) => {
  const folder = t.testdir({ 'c.yml': config });
  const { code, stderr } = await runCommand(['run', '--wait', '0s', '--config', folder]);
  t.equal(code, 1);
  t.match(stderr, /^config-unreadable: .*\n.*consul\.tokenFile: cannot read .*token: there is no such file/);
  const missing = await runCommand(['run', '--wait', '0s', '--config', `${folder}/none.yml`]);
  t.equal(missing.code, 1);
});

t.test('a pipe or a device in place of a file is refused at once', async (t) => {
  for (const [name, place] of [
    ['c.yml', 'config'],
    ['token', 'secret'],
  ] as const) {
    const folder = t.testdir({ 'c.yml': config, token: 'secret' });
    rmSync(`${folder}/${name}`);
    execFileSync('mkfifo', [`${folder}/${name}`]);
    const piped = await runCommand(['check', '--config', folder]);
    t.equal(piped.code, 2, place);
    t.match(piped.stderr, /it is a pipe or a device, not a file/);
    rmSync(`${folder}/${name}`);
    symlinkSync('/dev/zero', `${folder}/${name}`);
    const endless = await runCommand(['run', '--config', folder]);
    t.equal(endless.code, 2, place);
    t.match(endless.stderr, /it is a pipe or a device, not a file/);
  }
});
