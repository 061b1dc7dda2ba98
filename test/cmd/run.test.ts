import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import t, { type Test } from 'tap';
import { waitFor } from '../sandbox/condition.ts';
import { runCommand } from './command.ts';
import { Program } from './program.ts';

// A busy machine takes its time.
t.setTimeout(240_000);

const config = 'api: { listen: "127.0.0.1:0" }\nconsul: { address: "127.0.0.1:9" }\n';

async function start(t: Test, folder: string): Promise<{ program: Program; url: string }> {
  const program = new Program(['run', '--config', folder]);
  t.teardown(() => void program.child.kill('SIGKILL'));
  const { url } = await program.line('API listening');
  return { program, url: String(url) };
}

t.test(
  'it answers while it runs, a USR1 writes the state to the log, without secrets, and a TERM ends it cleanly',
  async (t) => {
    const folder = t.testdir({ 'c.yml': config.replace('consul: {', 'consul: { tokenFile: token,'), token: 'hunter2' });
    const { program, url } = await start(t, folder);
    t.match(await (await fetch(`${url}/live`)).json(), { live: true });
    t.equal((await fetch(`${url}/ready`)).status, 200);
    program.child.kill('SIGUSR1');
    const { parts } = await program.line('state');
    t.match(parts, [
      { part: 'api', ready: { ready: true } },
      { part: 'consul', ready: { ready: true } },
    ]);
    program.child.kill('SIGTERM');
    const { code, stdout, stderr } = await program.end();
    t.equal(code, 0);
    t.equal(stdout, '');
    t.notMatch(stderr, /hunter2/);
    t.strictSame(
      program.lines
        .map(({ msg }) => msg)
        .filter((msg) => msg === 'starting' || msg === 'stopping' || msg === 'stopped'),
      ['starting', 'stopping', 'stopped'],
    );
  },
);

t.test('no async hook of the daemon runs for each promise, which would slow down everything', async (t) => {
  // Without such a hook, what follows an await has no id.
  const preload = `import { executionAsyncId } from 'node:async_hooks';
    process.on('SIGUSR2', async () => {
      await null;
      console.log(executionAsyncId() === 0 ? 'no hook' : 'a hook');
    });`;
  const NODE_OPTIONS = `--import=data:text/javascript;base64,${Buffer.from(preload).toString('base64')}`;
  const program = new Program(['run', '--config', `${t.testdir({ 'c.yaml': config })}/c.yaml`], { NODE_OPTIONS });
  t.teardown(() => void program.child.kill('SIGKILL'));
  await program.line('API listening');
  program.child.kill('SIGUSR2');
  program.child.kill('SIGTERM');
  t.equal((await program.end()).stdout, 'no hook\n');
});

t.test('status names what a daemon without any data waits for, and exits with 1', async (t) => {
  const sentinel = 'sentinel: { addresses: ["127.0.0.1:9"] }\n';
  const { program, url } = await start(t, t.testdir({ 'c.yml': `${config}${sentinel}` }));
  const ask = ['status', '--api', url];
  const [shown, { code, stdout }] = await Promise.all([runCommand(ask), runCommand([...ask, '--json'])]);
  t.match(shown, { code: 1, stdout: /Not well:[\s\S]*not ready: bridge: / });
  const { health, masters } = JSON.parse(stdout);
  const reasons = (health.reasons as { code: string; text: string }[]).filter((reason) => reason.code === 'not-ready');
  t.match({ code, masters, reasons }, { code: 1, masters: [], reasons: [{ text: /^bridge: / }] });
  program.child.kill('SIGTERM');
  await program.end();
});

t.test('a config that it cannot use ends it with 2 before anything starts', async (t) => {
  const folder = t.testdir({ 'c.yml': `${config}bogus: 1\n` });
  const { code, stderr } = await runCommand(['run', '--config', folder]);
  t.equal(code, 2);
  t.match(stderr, /bogus: unknown section/);
  t.notMatch(stderr, /starting/);
});

t.test('a HUP takes over a good config, refuses a bad one whole, and moves the API to another address', async (t) => {
  const folder = t.testdir({ 'c.yml': config });
  const { program, url } = await start(t, folder);
  await writeFile(`${folder}/c.yml`, `${config}log: { level: debug }\nbogus: 1\n`);
  program.child.kill('SIGHUP');
  const refused = await program.line('config refused; the running one stays');
  t.match(refused.error, { code: 'config-invalid', message: /bogus: unknown section/ });
  t.equal((await fetch(`${url}/live`)).status, 200);
  const health = async () => (await fetch(`${url}/v1/health`)).json();
  t.match(await health(), {
    level: 'warning',
    reasons: [
      {
        code: 'config-refused',
        text: /^Running with the config of 20.*; the one on disk is refused since 20.*bogus: unknown section/s,
      },
    ],
  });
  await writeFile(`${folder}/c.yml`, `${config}log: { level: debug }\n`);
  program.child.kill('SIGHUP');
  await program.line('config reloaded');
  t.strictSame(await health(), { level: 'well', reasons: [] });
  t.equal((await fetch(`${url}/live`)).status, 200, 'the API, whose settings are the same, was not closed');
  await writeFile(`${folder}/c.yml`, config.replace('127.0.0.1:0', '127.0.0.2:0'));
  program.child.kill('SIGHUP');
  const moved = await program.line('API listening', (line) => line.url !== url);
  t.match(moved.url, /^http:\/\/127\.0\.0\.2:/);
  t.equal((await fetch(`${moved.url}/live`)).status, 200);
  await t.rejects(fetch(`${url}/live`));
});

t.test('a HUP during the start takes effect after it, and an INT ends it cleanly, too', async (t) => {
  const program = new Program(['run', '--config', t.testdir({ 'c.yml': config })]);
  t.teardown(() => program.child.kill('SIGKILL'));
  const obeysHup = () => /^SigCgt:.*[13579bdf]$/m.test(readFileSync(`/proc/${program.child.pid}/status`, 'utf8'));
  await waitFor('a listener for HUP', obeysHup, { intervalMs: 1 });
  program.child.kill('SIGHUP');
  await program.line('config reloaded');
  program.child.kill('SIGINT');
  t.equal((await program.end()).code, 0);
});

t.test('a taken address is reported, and tried again until it is free', async (t) => {
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as net.AddressInfo;
  const program = new Program(['run', '--config', t.testdir({ 'c.yml': config.replace(':0', `:${port}`) })]);
  t.teardown(() => void program.child.kill('SIGKILL'));
  t.match(await program.line('API cannot listen'), { level: 'error', why: /EADDRINUSE/ });
  await new Promise((resolve) => other.close(resolve));
  await program.line('API listening');
  program.child.kill('SIGTERM');
  t.equal((await program.end()).code, 0);
});
