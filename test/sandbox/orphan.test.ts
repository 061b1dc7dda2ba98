import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { waitFor } from './condition.ts';
import { markerVariable } from './marker.ts';
import { Sandbox } from './sandbox.ts';

const parentScript = fileURLToPath(new URL('fixtures/parent.ts', import.meta.url));

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  t.test(`nothing is left behind when the parent dies of ${signal}`, async (t) => {
    const parent = spawn(process.execPath, [parentScript], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => parent.kill('SIGKILL'));
    const [folder] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    // A master, a paused replica, a Sentinel and a Consul agent.
    t.equal(sandboxProcesses(folder).length, 4);
    parent.kill(signal);
    await once(parent, 'exit');
    await waitFor(
      'the sandbox to be gone',
      () => ({ processes: sandboxProcesses(folder), folder: existsSync(folder) }),
      {
        until: (left) => left.processes.length === 0 && !left.folder,
      },
    );
  });
}

t.test('a closed sandbox leaves no process and no folder, and closing again does nothing', async (t) => {
  const sandbox = await Sandbox.open({ name: 'closed' });
  await sandbox.redis({ name: 'shard1', replicas: 0 });
  t.equal(sandboxProcesses(sandbox.folder).length, 1);
  await sandbox.close();
  t.strictSame(sandboxProcesses(sandbox.folder), []);
  t.notOk(existsSync(sandbox.folder));
  await sandbox.close();
});

function sandboxProcesses(folder: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`${markerVariable}=${basename(folder)}`);
    } catch {
      return false;
    }
  });
}
