import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { removeStaleCandidates } from '../../../lib/renderer/apply/candidate.ts';
import { processState } from '../../../lib/renderer/apply/process-file.ts';
import { signalPidFile } from '../../../lib/renderer/apply/signal.ts';
import { waitFor } from '../../sandbox/condition.ts';

async function consumer(t: Test): Promise<{ readonly pid: number; readonly ended: Promise<unknown[]> }> {
  const child = spawn('sleep', ['60']);
  t.teardown(() => void child.kill('SIGKILL'));
  await once(child, 'spawn');
  return { pid: child.pid ?? 0, ended: once(child, 'exit') };
}

const longAgo = new Date(Date.now() - 3_600_000);

t.test('the process of a pid file gets the signal', async (t) => {
  const { pid, ended } = await consumer(t);
  const file = join(t.testdir({}), 'pid');
  writeFileSync(file, `${pid}\nmore\n`);
  await signalPidFile(file, 'SIGTERM');
  t.strictSame(await ended, [null, 'SIGTERM']);
  await t.rejects(signalPidFile(file, 'SIGTERM'), {
    code: 'reload-failed',
    message: /there is no such process; start/,
  });
});

t.test('a program that got the id later gets no signal', async (t) => {
  const { pid } = await consumer(t);
  const file = join(t.testdir({}), 'pid');
  writeFileSync(file, String(pid));
  utimesSync(file, longAgo, longAgo);
  await t.rejects(signalPidFile(file, 'SIGTERM'), {
    message: /it started after the file was written, so it is another/,
  });
  t.equal(await processState(pid, Date.now()), 'running');
});

t.test('a zombie process, the daemon itself and invalid pid files get no signal', async (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'pid');
  // The shell does not wait for its child: it is another program when the child ends.
  const parent = spawn('sh', ['-c', `sleep 0.3 & echo $! > ${file}; exec sleep 60`]);
  t.teardown(() => void parent.kill('SIGKILL'));
  const zombie = { message: /it has ended; restart the consumer/ };
  const answer = () => signalPidFile(file, 'SIGTERM').catch((error: Error) => error.message);
  await waitFor('the zombie', answer, { until: (text) => zombie.message.test(String(text)) });
  writeFileSync(file, String(process.pid));
  await t.rejects(signalPidFile(file, 'SIGHUP'), { message: /it is switchmaster itself/ });
  for (const text of ['', 'no', '1', '-5']) {
    writeFileSync(file, text);
    await t.rejects(signalPidFile(file, 'SIGTERM'), { message: /holds no process id/ });
  }
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await t.rejects(signalPidFile(pipe, 'SIGTERM'), { message: /it is a pipe or a device/ });
  await t.rejects(signalPidFile(join(folder, 'none'), 'SIGTERM'), { message: /there is no such file/ });
});

t.test('a candidate from before a reboot is removed though another program has the id', async (t) => {
  const { pid } = await consumer(t);
  const name = `.a.cfg.switchmaster-${pid}-00112233`;
  const folder = t.testdir({ 'a.cfg': 'x', [name]: 'secret' });
  t.strictSame(await removeStaleCandidates(join(folder, 'a.cfg')), [], 'its process runs');
  utimesSync(join(folder, name), longAgo, longAgo);
  await removeStaleCandidates(join(folder, 'a.cfg'));
  t.notOk(existsSync(join(folder, name)));
});
