import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { takeServiceManager } from '../../cmd/sd-notify.ts';
import { waitFor } from '../sandbox/condition.ts';

/* With a `systemd-notify` that writes down what it receives. `npm run test:deb` has a real systemd. */

function makeEnvironment(folder: string, program: string, over: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  writeFileSync(path.join(folder, 'systemd-notify'), `#!/bin/sh\n${program}\n`);
  chmodSync(path.join(folder, 'systemd-notify'), 0o755);
  return { PATH: `${folder}:${process.env.PATH}`, NOTIFY_SOCKET: '/run/systemd/notify', ...over };
}

const record = (folder: string) =>
  `printf '%s|' "$NOTIFY_SOCKET" "$@" >> ${folder}/received; echo >> ${folder}/received`;
const received = (folder: string) => readFileSync(path.join(folder, 'received'), 'utf8').split('\n').filter(Boolean);
const noFailure = (cause: Error) => t.fail(cause.message);

t.test('readiness, reloads, the end and beats of the watchdog are sent, with one line of status each', async (t) => {
  const folder = t.testdir({});
  const environment = makeEnvironment(folder, record(folder), { WATCHDOG_USEC: '60000' });
  const manager = takeServiceManager(environment, { status: () => 'shard1\tis\n--down $(id)', onFailure: noFailure });
  t.teardown(() => manager.close());
  t.strictSame(Object.keys(environment), ['PATH'], 'programs that the daemon starts cannot notify in its name');
  manager.ready();
  const line = (state: string, status: string) => `/run/systemd/notify|${state}|STATUS=${status}|`;
  const beat = line('WATCHDOG=1', 'shard1 is --down $(id)');
  await waitFor('two beats', () => received(folder), {
    until: (lines) => lines.filter((one) => one === beat).length > 1,
  });
  t.equal(received(folder)[0], line('READY=1', 'shard1 is --down $(id)'));
  manager.reloading();
  manager.stopping();
  const ends = [line('RELOADING=1', 'reloading'), line('STOPPING=1', 'stopping')];
  await waitFor('both', () => received(folder), { until: (lines) => ends.every((end) => lines.includes(end)) });
});

t.test('without a service manager, or for the watchdog of another process, nothing is sent', async (t) => {
  const folder = t.testdir({});
  const quiet = { status: () => '', onFailure: noFailure };
  takeServiceManager(makeEnvironment(folder, record(folder), { NOTIFY_SOCKET: '' }), quiet).ready();
  const environment = makeEnvironment(folder, record(folder), { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' });
  const manager = takeServiceManager(environment, quiet);
  t.teardown(() => manager.close());
  manager.ready();
  manager.stopping();
  await waitFor('the last line', () => received(folder), {
    until: (lines) => lines.some((one) => /STOPPING/.test(one)),
  });
  t.equal(received(folder).length, 2);
});

t.test('a sender that hangs gets no further beats', async (t) => {
  const folder = t.testdir({});
  execFileSync('mkfifo', [path.join(folder, 'answer')]);
  const program = `${record(folder)}; [ -e ${folder}/works ] || cat ${folder}/answer`;
  const environment = makeEnvironment(folder, program, { WATCHDOG_USEC: '60000' });
  let lines = 0;
  const manager = takeServiceManager(environment, { status: () => `line ${++lines}`, onFailure: noFailure });
  t.teardown(() => manager.close());
  manager.ready();
  await waitFor('the first line', () => received(folder));
  let intervals = 0;
  const counting = setInterval(() => ++intervals, 20);
  t.teardown(() => clearInterval(counting));
  await waitFor('ten intervals', () => intervals, { until: (count) => count >= 10 });
  t.equal(lines, 1);
  writeFileSync(path.join(folder, 'works'), '');
  const answering = setInterval(() => writeFileSync(path.join(folder, 'answer'), '', { flag: 'r+' }), 5);
  // The folder is removed before a teardown.
  await waitFor('beats', () => received(folder), { until: (all) => all.length > 2 }).finally(() =>
    clearInterval(answering),
  );
});

t.test('where no process can be started, nothing throws', async (t) => {
  const failures: string[] = [];
  // Node refuses such a variable at once, as it does without memory.
  const environment = makeEnvironment(t.testdir({}), 'true', { WATCHDOG_USEC: '60000', OTHER: 'a\0b' });
  const onFailure = ({ message }: Error) => failures.push(message);
  const manager = takeServiceManager(environment, { status: () => 'good', onFailure });
  t.teardown(() => manager.close());
  manager.ready();
  manager.reloading();
  await waitFor('a beat', () => failures, { until: (all) => all.length > 2 });
});

t.test('a sender that ends is replaced', async (t) => {
  const folder = t.testdir({});
  // The shell is its parent.
  const program = `${record(folder)}; [ -e ${folder}/second ] || { touch ${folder}/second; kill -9 $PPID; }`;
  const environment = makeEnvironment(folder, program, { WATCHDOG_USEC: '60000' });
  const manager = takeServiceManager(environment, { status: () => 'good', onFailure: noFailure });
  t.teardown(() => manager.close());
  manager.ready();
  await waitFor('a beat by another sender', () => received(folder), { until: (lines) => lines.length > 2 });
});
