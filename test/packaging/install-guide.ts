import { mkdirSync, writeFileSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type ExecaError, execa } from 'execa';
import t from 'tap';
import { findProgram } from '../../setup/paths.mjs';
import { stepsOf } from '../docs/guides/steps.ts';
import { type ReaderMachine, walk } from '../docs/guides/walk.ts';
import { readPage } from '../docs/pages.ts';
import { boot } from '../sandbox/booted-root.ts';
import { waitFor } from '../sandbox/condition.ts';
import { type DebianRoot, makeDebianRoot } from '../sandbox/debian-root.ts';

/*
 * `npm run test:install`: every block of docs/guide/install.md, word for word, in a Debian that systemd has booted. Its blocks `on=clone`
 * run in the same files without systemd, because they need the network of this machine for npm.
 */

const project = path.resolve(import.meta.dirname, '../..');
const page = 'docs/guide/install.md';
const clone = '/root/switchmaster';
const packages = ['dbus', 'haproxy', 'init-system-helpers', 'polkitd', 'procps', 'systemd', 'systemd-sysv'];
const buildMs = 1_800_000;

t.test(`${page}, followed word for word, installs switchmaster in each of its ways`, async (t) => {
  const steps = stepsOf(await readPage(page));
  const root = await makeDebianRoot({ suite: 'bookworm', packages });
  t.teardown(() => root.close());
  await prepare(root);
  const debian = await boot(root);
  t.teardown(() => debian.close());
  await debian.run('systemd-run consul agent -dev');
  await waitFor('Consul to have a leader', () => debian.run('consul operator raft list-peers'), {
    timeoutMs: 60_000,
    until: ({ exitCode }) => exitCode === 0,
  });
  const node: ReaderMachine = {
    ...machineAt(root),
    async run(script) {
      const { exitCode, text } = await debian.run(`set -e; cd ${clone}\n${script}`);
      return { code: exitCode, output: lines(text) };
    },
  };
  const machines = new Map([
    ['node', node],
    ['clone', machineAt(root)],
  ]);
  const { deviation } = await walk(steps, { machines }, (text) => t.comment(text.split('\n')[0]));
  if (deviation !== undefined) t.comment((await debian.run('journalctl --no-pager -n 60')).text);
  t.equal(deviation && `line ${deviation.line}: ${deviation.text}`, undefined);
  t.equal((await debian.run('systemctl show --value -p ActiveState switchmaster')).text.trim(), 'active');
});

/** dpkg shows its progress by carriage returns, after which tap loses the results of a test. */
const lines = (text: string) => text.replaceAll('\r', '\n');

/** What the page assumes: Node.js, npm, the clone, a Consul agent, and a config for the npm package. */
async function prepare({ folder }: DebianRoot): Promise<void> {
  const local = path.join(folder, 'usr/local');
  const consul = findProgram('consul');
  if (consul === undefined) throw new Error('consul is missing: run node setup/bootstrap.mjs');
  await copyFile(process.execPath, path.join(local, 'bin/node'));
  await copyFile(consul, path.join(local, 'bin/consul'));
  await execa('npm', ['install', '--global', '--prefix', local, '--no-audit', '--no-fund', 'npm@11'], { all: true });
  await execa('git', ['clone', '--quiet', project, path.join(folder, clone)], { all: true });
  await writeFile(path.join(folder, clone, 'switchmaster.yml'), 'api: { listen: "127.0.0.1:8680" }\n');
  // It would keep the package from starting its unit.
  await execa('rm', [path.join(folder, 'usr/sbin/policy-rc.d')]);
}

/** The files of the root, with the network of this machine. */
function machineAt(root: DebianRoot): ReaderMachine {
  return {
    run: (script) =>
      root.run(['sh', '-ec', script], { cwd: clone, timeoutMs: buildMs }).then(
        (output) => ({ code: 0, output: lines(output) }),
        ({ exitCode, all, message }: ExecaError<{ all: true }>) => ({
          code: exitCode ?? 1,
          output: lines(all ?? message),
        }),
      ),
    write(file, content) {
      const place = path.join(root.folder, file);
      mkdirSync(path.dirname(place), { recursive: true });
      writeFileSync(place, content);
    },
    listens: () => false,
  };
}
