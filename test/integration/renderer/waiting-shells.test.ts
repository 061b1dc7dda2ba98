import { existsSync, readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { alive } from '../../renderer/apply/shell/shells.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

const sandbox = await Sandbox.openFor(t, { name: 'waiting-shells' });
const consul = await sandbox.consul();

/** The processes that are children of this one and have this program, by the name that the kernel has. */
function childrenOf(parent: number | undefined, program: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const [, name, ppid] = /^\d+ \((.*)\) \S (\d+) /s.exec(statOf(pid)) ?? [];
      return name === program && Number(ppid) === parent;
    });
}

/** Empty when the process is gone. */
function statOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

t.test('commands of templates start in shells that wait, and no shell outlives the daemon', async (t) => {
  await consul.putKey('color', 'red');
  const [destination, log] = [sandbox.path('color.conf'), sandbox.path('reloads')];
  const daemon = await sandbox.switchmaster({
    name: 'waiting',
    // bash exports neither this one as it is, nor the one that the template denies.
    env: { SHLVL: '1' },
    config: {
      consul: { address: consul.url },
      templates: [
        {
          source: sandbox.write('color.conf.hbs', '{{key "color"}}\n'),
          destination,
          header: false,
          wait: { min: 0, max: 0 },
          check: ['/bin/sh', '-c', `echo "check $$" >> ${log}`],
          reload: { command: ['/bin/sh', '-c', `echo "reload $$" >> ${log}; exit 0`] },
          exec: { env: { denylist: ['_'] } },
        },
      ],
    },
  });
  const shells = () => childrenOf(daemon.pid, 'sh');
  const untilWaiting = (isNew: (pid: number) => boolean = () => true) =>
    waitFor('two shells to wait', shells, { until: (pids) => pids.length === 2 && pids.every(isNew) });
  const runs = () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []);

  const first = await untilWaiting();
  for (const pid of first) t.equal(readFileSync(`/proc/${pid}/environ`, 'utf8'), '', 'nothing secret to see');
  // On a busy machine a shell may be too slow, and the command starts directly.
  let n = 0;
  const inShells = async () => {
    const waiting = await untilWaiting();
    const before = runs().length;
    n += 1;
    await consul.putKey('color', `blue${n}`);
    await waitFor('the check and the reload', () => runs().length === before + 2);
    return runs()
      .slice(before)
      .map((line) => line.replace(/\d+$/, (pid) => (waiting.includes(Number(pid)) ? 'waited' : 'did not wait')));
  };
  await waitFor('both to start in shells', () => inShells(), {
    until: (lines) => lines.join() === 'check waited,reload waited',
  });

  const second = await untilWaiting();
  process.kill(second[0] ?? 0, 'SIGKILL');
  await untilWaiting((pid) => pid !== second[0]);
  await daemon.kill('SIGHUP');
  const third = await untilWaiting((pid) => !second.includes(pid));
  await daemon.kill('SIGKILL');
  await waitFor('no shell to be left', () => alive(third), { until: (left) => left.length === 0 });

  await daemon.start();
  const fourth = await untilWaiting();
  await daemon.stop();
  await waitFor('no shell to be left', () => alive(fourth), { until: (left) => left.length === 0 });
  t.match(daemon.logLines().at(-1), { msg: 'stopped' });
});
