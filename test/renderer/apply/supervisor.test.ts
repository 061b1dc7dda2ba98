import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LeftProgram } from '../../../lib/renderer/apply/left-program.ts';
import { leftProgramPath } from '../../../lib/renderer/apply/side-files.ts';
import { Supervisor, type SupervisorEvent, type SupervisorOptions } from '../../../lib/renderer/apply/supervisor.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { isAlive } from '../../sandbox/is-alive.ts';

const sh = (script: string) => ['/bin/sh', '-c', script];

/** A shell that prints the signals that it gets, and ends by one of them. */
const listener = (ends: string) =>
  sh(`trap 'echo heard QUIT' QUIT; trap 'echo heard USR2' USR2; trap 'echo heard WINCH' WINCH; trap 'echo heard TERM' TERM
trap 'echo ends; exit 0' ${ends}; echo ready; while :; do sleep 0.01; done`);

function supervise(t: Test, options: Partial<SupervisorOptions> & Pick<SupervisorOptions, 'argv'>) {
  const events: SupervisorEvent[] = [];
  const supervisor = new Supervisor({
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
    ...options,
    onEvent: (event) => events.push(event),
  });
  t.teardown(() => supervisor.stop());
  const lines = () => events.flatMap((event) => (event.kind === 'output' ? [event.line] : []));
  const said = (line: string) => waitFor(`the program to say ${line}`, () => lines().includes(line), { intervalMs: 2 });
  return { supervisor, events, lines, said };
}

t.test('forwarded signals reach the program, and none starts it', async (t) => {
  const { supervisor, events, said } = supervise(t, { argv: listener('TERM') });
  supervisor.forward('SIGUSR2');
  t.equal(supervisor.pid, undefined);
  await supervisor.start();
  await said('ready');
  for (const signal of ['SIGUSR2', 'SIGQUIT', 'SIGWINCH'] as const) {
    supervisor.forward(signal);
    await said(`heard ${signal.slice(3)}`);
  }
  t.match(
    events.filter(({ kind }) => kind === 'signalled'),
    [{ signal: 'SIGUSR2', pid: supervisor.pid }, { signal: 'SIGQUIT' }, { signal: 'SIGWINCH' }],
  );
});

t.test('it ends by its stop signal, even while it is paused', async (t) => {
  const { supervisor, events, lines, said } = supervise(t, { argv: listener('USR1'), stopSignal: 'SIGUSR1' });
  await supervisor.start();
  await said('ready');
  await supervisor.signal('SIGSTOP');
  await supervisor.stop();
  await said('ends');
  t.notOk(lines().includes('heard TERM'));
  t.match(
    events.findLast(({ kind }) => kind === 'ended'),
    { how: 'exited with 0', restartMs: undefined },
  );
});

t.test('one that does not end in its time is killed, with what it has started', async (t) => {
  const script = `trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $!; while :; do sleep 0.01; done`;
  const { supervisor, events, lines } = supervise(t, { argv: sh(script), stopTimeoutMs: 50 });
  await supervisor.start();
  await waitFor('the child of the child', () => lines()[0]);
  await supervisor.stop();
  t.match(
    events.findLast(({ kind }) => kind === 'ended'),
    { how: 'died of SIGKILL' },
  );
  await waitFor('its child to be gone', () => !isAlive(Number(lines()[0])));
});

t.test('what a program leaves behind when it dies does not outlive it', async (t) => {
  const { supervisor, lines } = supervise(t, { argv: sh('sleep 1000 & echo $!; wait') });
  await supervisor.start();
  await waitFor('the child of the child', () => lines()[0]);
  process.kill(supervisor.pid ?? 0, 'SIGKILL');
  await waitFor('its child to be gone', () => !isAlive(Number(lines()[0])));
  await waitFor('another one', () => lines()[1]);
});

t.test('one that is stopped while it restarts is not started again', async (t) => {
  const { supervisor, events, said } = supervise(t, { argv: listener('INT'), stopTimeoutMs: 100 });
  await supervisor.start();
  await said('ready');
  const restart = supervisor.restart();
  await Promise.all([supervisor.stop(), t.rejects(restart, { code: 'stopping' })]);
  t.equal(events.filter(({ kind }) => kind === 'started').length, 1);
  t.equal(supervisor.pid, undefined);
});

t.test('one that ends while the daemon stops is not started again by itself', async (t) => {
  const { supervisor, events, said } = supervise(t, { argv: listener('TERM') });
  await supervisor.start();
  await said('ready');
  supervisor.retire();
  process.kill(supervisor.pid ?? 0, 'SIGTERM');
  t.match(await waitFor('its end', () => events.find(({ kind }) => kind === 'ended')), {
    how: 'exited with 0',
    restartMs: undefined,
  });
});

t.test('a program that is away for a while is started once it is back', async (t) => {
  const folder = t.testdir({ program: t.fixture('file', '#!/bin/sh\necho runs; exec sleep 1000\n') });
  const program = join(folder, 'program');
  chmodSync(program, 0o755);
  const { supervisor, events, lines } = supervise(t, { argv: [program] });
  await supervisor.start();
  await waitFor('its first line', () => lines().length === 1);
  renameSync(program, `${program}.away`);
  process.kill(supervisor.pid ?? 0, 'SIGKILL');
  await waitFor('a start that fails', () => events.some((event) => event.kind === 'ended' && /ENOENT/.test(event.how)));
  renameSync(`${program}.away`, program);
  await waitFor('its second line', () => lines().length === 2);
});

t.test('a program that writes without an end is read slowly, and its lost lines are counted', async (t) => {
  const { supervisor, events, lines } = supervise(t, { argv: ['yes', 'a line'] });
  await supervisor.start();
  const isLost = () => events.findIndex(({ kind }) => kind === 'output-lost');
  const at = await waitFor('the report', isLost, { until: (found) => found >= 0 });
  t.ok(at <= 2_000, `${at} events before it`);
  t.equal(lines()[0], 'a line');
});

t.test("the daemon's Consul token stays with the daemon", async (t) => {
  process.env.CONSUL_HTTP_TOKEN = 'secret';
  t.teardown(() => delete process.env.CONSUL_HTTP_TOKEN);
  const { supervisor, said } = supervise(t, { argv: sh('echo "[$CONSUL_HTTP_TOKEN]"; exec sleep 1000') });
  await supervisor.start();
  await said('[]');
});

t.test('a daemon that exits at once ends its programs too', async (t) => {
  const script = `
    import { Supervisor } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/renderer/apply/supervisor.ts'))};
    const supervisor = new Supervisor({ argv: ['/bin/sh', '-c', 'trap "" TERM; sleep 1000 & wait'] });
    await supervisor.start();
    process.on('SIGTERM', () => process.exit(1));
    console.log(supervisor.pid);
  `;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(daemon.stdout.setEncoding('utf8'), 'data');
  t.ok(isAlive(Number(pid)));
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  await waitFor('the program to be gone', () => !isAlive(Number(pid)));
});

/** A daemon that supervises a shell which ignores TERM, and is killed. Answers the shell and its child, which are still there. */
async function killedDaemon(t: Test, destination: string): Promise<{ pid: number; child: number }> {
  const script = `
    import { LeftProgram } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/renderer/apply/left-program.ts'))};
    import { Supervisor } from ${JSON.stringify(join(import.meta.dirname, '../../../lib/renderer/apply/supervisor.ts'))};
    const left = new LeftProgram(${JSON.stringify(destination)});
    const argv = ['/bin/sh', '-c', 'trap "" TERM; sleep 1000 & echo $!; wait; wait'];
    const onEvent = ({ line }) => line === undefined || console.log(supervisor.pid + ' ' + line);
    const supervisor = new Supervisor({ argv, left, onEvent, stopSignal: 'SIGTERM', stopTimeoutMs: 100 });
    await supervisor.start();
    setInterval(() => undefined, 1_000);
  `;
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(daemon.stdout.setEncoding('utf8'), 'data');
  const [pid = 0, child = 0] = line.split(' ').map(Number);
  t.teardown(() => isAlive(pid) && process.kill(-pid, 'SIGKILL'));
  await waitFor('the note', () => existsSync(leftProgramPath(destination)));
  const other = new LeftProgram(destination);
  t.equal(await other.end({ stopSignal: 'SIGTERM', stopTimeoutMs: 100 }), 'of-another-daemon');
  t.ok(isAlive(pid), 'a daemon that runs keeps its program');
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');
  t.ok(isAlive(pid), 'a daemon that is killed leaves its program behind');
  return { pid, child };
}

t.test(
  'a program that a killed daemon left behind is ended before another one starts, with its children',
  async (t) => {
    const destination = join(t.testdir({}), 'a.conf');
    const { pid, child } = await killedDaemon(t, destination);
    const left = new LeftProgram(destination);
    const { supervisor, said } = supervise(t, { argv: listener('TERM'), left, stopTimeoutMs: 100 });
    await supervisor.start();
    await said('ready');
    t.notOk(isAlive(pid));
    await waitFor('its child to be gone', () => !isAlive(child));
    const noted = () => JSON.parse(readFileSync(leftProgramPath(destination), 'utf8')).pid;
    await waitFor('the note of the other one', () => noted() === supervisor.pid);
  },
);

t.test('no other process is taken for one that a daemon left behind', async (t) => {
  const destination = join(t.testdir({}), 'a.conf');
  const limits = { stopSignal: 'SIGTERM', stopTimeoutMs: 100 } as const;
  const left = new LeftProgram(destination);
  t.equal(await left.end(limits), 'none', 'no note');
  const bystander = spawn('sleep', ['1000'], { stdio: 'ignore', detached: true });
  t.teardown(() => bystander.kill());
  await once(bystander, 'spawn');
  await left.note(bystander.pid ?? 0);
  const note = JSON.parse(readFileSync(leftProgramPath(destination), 'utf8'));
  const leftBehind = { ...note, daemon: 1 };
  for (const [name, text] of [
    ['another start', JSON.stringify({ ...leftBehind, startedTicks: note.startedTicks - 1 })],
    ['another boot', JSON.stringify({ ...leftBehind, boot: 'other' })],
    ['a group', JSON.stringify({ ...leftBehind, pid: -1 })],
    ['no object', 'null'],
    ['half a file', JSON.stringify(leftBehind).slice(0, 20)],
  ] as const) {
    writeFileSync(leftProgramPath(destination), text, { mode: 0o600 });
    t.equal(await left.end(limits), 'none', name);
  }
  t.ok(isAlive(bystander.pid ?? 0));
});

t.test('a program that does not keep running is a problem until it does', async (t) => {
  const folder = t.testdir({});
  const argv = sh(`echo "cannot bind"; test -e ${folder}/free || exit 1; exec sleep 1000`);
  const { supervisor } = supervise(t, { argv, steadyMs: 300 });
  await supervisor.start();
  t.equal(supervisor.problem, undefined, 'one start is no problem');
  const problem = await waitFor('the problem', () => supervisor.problem);
  t.match(problem, /^\/bin\/sh does not keep running: exited with 1, \d+ times in a row\. Its last line: cannot bind$/);
  writeFileSync(join(folder, 'free'), '');
  await waitFor('the end of the problem', () => supervisor.problem === undefined);
});
