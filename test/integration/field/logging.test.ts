import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { constants, openSync, readSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { nodeEnvironment, programFile } from '../../runner/environment.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

// A busy machine takes its time.
t.setTimeout(240_000);

/** For a start among other tests. */
const startMs = 45_000;

const port = 8_680;

/** An address that nobody else uses: sandboxes have lower ones, and no connection begins there. */
function freeHost(): string {
  return `127.250.${randomInt(256)}.${randomInt(1, 255)}`;
}

function fill(fd: number): void {
  for (;;) writeSync(fd, '.');
}

/** Starts the daemon with `stderr` for its standard error, and waits until it answers. */
async function start(t: Test, setting: { readonly stderr: number | 'pipe' }) {
  const host = freeHost();
  const config = `api: { listen: "${host}:${port}" }\nconsul: { address: "127.0.0.1:9" }\n`;
  const folder = t.testdir({ 'c.yml': config });
  const child = spawn(process.execPath, [programFile(), 'run', '--config', folder], {
    env: nodeEnvironment(),
    stdio: ['ignore', 'ignore', setting.stderr],
  });
  t.teardown(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const get = async (path: string): Promise<string> => (await fetch(`http://${host}:${port}${path}`)).text();
  const isLive = (): Promise<string | undefined> => get('/live').catch(() => undefined);
  const lost = async (): Promise<number> =>
    Number(/^switchmaster_log_lines_lost_total (\d+)$/m.exec(await get('/metrics'))?.[1]);
  const stop = async (): Promise<unknown> => {
    child.kill('SIGTERM');
    return (await ended)[0];
  };
  return { child, isLive, lost, stop };
}

t.test('a full disk under the log neither keeps it from starting nor ends it on a HUP', async (t) => {
  const { child, isLive, lost, stop } = await start(t, { stderr: openSync('/dev/full', 'w') });
  await waitFor('the daemon', isLive, { until: (text) => text !== undefined, timeoutMs: startMs });
  const before = await lost();
  t.ok(before > 0);
  child.kill('SIGHUP');
  await waitFor('more lost lines', lost, { until: (count) => count > before });
  t.equal(await stop(), 0);
});

t.test('a log whose reader is gone does not end it', async (t) => {
  const { child, isLive, lost, stop } = await start(t, { stderr: 'pipe' });
  await waitFor('the daemon', isLive, { until: (text) => text !== undefined, timeoutMs: startMs });
  child.stderr?.destroy();
  const provoke = (): Promise<number> => {
    child.kill('SIGHUP');
    return lost();
  };
  await waitFor('lost lines', provoke, { until: (count) => count > 0 });
  t.equal(await stop(), 0);
});

t.test('a log that nobody reads does not block it', async (t) => {
  const pipe = `${t.testdir()}/pipe`;
  execFileSync('mkfifo', [pipe]);
  // The pipe is full: a blocking write would wait without end.
  const fd = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  t.throws(() => fill(fd), { code: 'EAGAIN' });
  const { isLive, lost, stop } = await start(t, { stderr: openSync(pipe, constants.O_RDWR) });
  t.ok(await waitFor('the daemon', isLive, { until: (text) => text !== undefined, timeoutMs: startMs }));
  t.equal(await lost(), 0, 'its lines wait');
  const bytes = Buffer.alloc(1024 * 1024);
  const read = (): string => bytes.toString('utf8', 0, readSync(fd, bytes));
  await waitFor('the lines', read, { until: (text) => text.includes('starting') });
  t.equal(await stop(), 0);
});

t.test('a full disk or a device in place of the journal stops only the journal', async (t) => {
  const sandbox = await Sandbox.openFor(t, { name: 'journal' });
  for (const device of ['/dev/full', '/dev/zero']) {
    const config = { consul: { address: '127.0.0.1:9' }, journal: { file: device } };
    const daemon = await sandbox.localDaemon({ config, ready: '/live' });
    t.match(daemon.log(), device, 'the log names it');
    await daemon.stop();
    t.match(daemon.logLines().at(-1), { msg: 'stopped' });
  }
});
