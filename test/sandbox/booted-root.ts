import { readFileSync } from 'node:fs';
import { type ExecaError, execa } from 'execa';
import { waitFor } from './condition.ts';
import type { DebianRoot } from './debian-root.ts';

/*
 * A Debian that systemd has booted, as process 1 of namespaces of its own (processes, mounts, network, control groups). Nothing of
 * it is left when it ends. It needs root, and `systemd-sysv` in the Debian.
 */

export interface BootedRoot {
  /** Of its systemd, as this process sees it. */
  readonly pid: number;
  /** Runs a program beside systemd. */
  run(command: string): Promise<Ran>;
  close(): Promise<void>;
}

interface Ran {
  readonly exitCode: number;
  /** Standard output and standard error. */
  readonly text: string;
}

const inMounts = ['unshare', '--mount', '--propagation', 'private', 'sh'];

/** A busy machine needs minutes. */
const bootLimitMs = 600_000;
let booted = 0;

export async function boot({ folder }: Pick<DebianRoot, 'folder'>): Promise<BootedRoot> {
  booted += 1;
  const group = `switchmaster-${process.pid}-${booted}`;
  // It ends with this process, however that ends.
  const outer = execa('setpriv', ['--pdeathsig', 'KILL', ...inMounts, '-ec', outerScript, 'sh', folder, group], {
    all: true,
    reject: false,
  });
  // As without the right to make control groups.
  const ended = new AbortController();
  void outer.then(({ all }) => ended.abort(new Error(`the namespaces ended: ${all}`)));
  const close = async () => {
    outer.kill('SIGKILL');
    await outer;
    await execa('setpriv', [...inMounts, '-c', removalScript, 'sh', group], { reject: false });
  };
  try {
    const { signal } = ended;
    const pid = await waitFor('systemd to be process 1', () => childOf(outer.pid ?? -1), {
      timeoutMs: bootLimitMs,
      signal,
    });
    const run = (command: string) => runBeside(pid, command);
    await waitFor('Debian to boot', () => run('systemctl is-system-running'), {
      timeoutMs: bootLimitMs,
      until: ({ text }) => /^(running|degraded)$/m.test(text),
      signal,
    });
    return { pid, run, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** The only child of the program that made the namespaces. Throws until it is systemd. */
function childOf(parent: number): number {
  const child = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  if (readFileSync(`/proc/${child}/comm`, 'utf8') !== 'systemd\n') throw new Error(`${child} is not systemd`);
  return Number(child);
}

async function runBeside(pid: number, command: string): Promise<Ran> {
  const argv = ['--target', String(pid), '--all', 'env', '--ignore-environment', programs, 'sh', '-c', command];
  try {
    const { all } = await execa('nsenter', argv, { all: true, timeout: 300_000 });
    return { exitCode: 0, text: all };
  } catch (thrown) {
    const { exitCode, all, message } = thrown as ExecaError<{ all: true }>;
    if (exitCode === undefined) throw new Error(message, { cause: thrown });
    return { exitCode, text: all };
  }
}

const programs = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A control group of its own, in the hierarchy that systemd wants, and the namespaces. */
const outerScript = `
folder=$1
groups=$(mktemp -d)
mount -t cgroup2 none "$groups"
mkdir -p "$groups/$2"
echo $$ > "$groups/$2/cgroup.procs"
umount "$groups"
rmdir "$groups"
exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child sh -ec '
cd "$1"
mount --bind . .
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for name in run tmp dev; do mount -t tmpfs tmpfs $name; done
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm .outside
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
ln -s pts/ptmx dev/ptmx
pivot_root . .outside
umount -l .outside
rmdir .outside
export container=other
exec /lib/systemd/systemd --log-target=journal --show-status=no
' sh "$folder"
`;

const removalScript = `
groups=$(mktemp -d)
mount -t cgroup2 none "$groups"
# The kernel may need a moment to end the processes.
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  [ -e "$groups/$1" ] || break
  find "$groups/$1" -depth -type d -exec rmdir {} \\; 2>/dev/null
  [ ! -e "$groups/$1" ] || sleep 0.2
done
umount "$groups"
rmdir "$groups"
`;
