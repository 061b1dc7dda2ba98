import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { machineMirrors } from '../../setup/archive.mjs';
import { toolsDir } from '../../setup/paths.mjs';

/*
 * A minimal Debian in a folder, for tests of what is installed there. `debootstrap` makes it, which takes a minute or more, so
 * its archive stays under .tools/debian, also with the packages that a test asks for. Later calls only unpack it. Needs root.
 */

export interface DebianRoot {
  readonly folder: string;
  /** Runs a program inside, as root, on this machine's network. Throws execa's error if it fails. */
  run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<string>;
  close(): Promise<void>;
}

interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

interface Contents {
  readonly suite: 'bookworm' | 'trixie';
  /** Besides those of debootstrap's minimal variant. */
  readonly packages: readonly string[];
}

/** Unpacks a fresh root. Its programs end, at the latest, with their `run`. */
export async function makeDebianRoot({ suite, packages }: Contents): Promise<DebianRoot> {
  const archive = await makeArchive({ suite, packages });
  const folder = await mkdtemp(path.join(tmpdir(), `switchmaster-${suite}-`));
  await execa('tar', ['-xf', archive, '-C', folder]);
  await copySettings(folder, [...settings.network, ...settings.npm]);
  return {
    folder,
    run: (argv, options) => runInside({ folder, argv, options: options ?? {} }),
    close: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

async function makeArchive({ suite, packages }: Contents): Promise<string> {
  const names = [...new Set(packages)].sort();
  const archive = path.join(toolsDir, 'debian', `${[suite, ...names].join('+')}.tar`);
  // Two tests may ask for one archive at the same time.
  const work = () => (names.length === 0 ? bootstrap(suite, archive) : install({ suite, packages: names }, archive));
  await mkdir(path.dirname(archive), { recursive: true });
  const { exitCode } = await execa('test', ['-s', archive], { reject: false });
  if (exitCode !== 0) await work();
  return archive;
}

async function bootstrap(suite: string, archive: string): Promise<void> {
  await inScratchFolder(archive, async (folder) => {
    const [mirror] = machineMirrors();
    if (mirror === undefined) throw new Error('found no Debian mirror in the source lists of this machine');
    await execa('debootstrap', ['--variant=minbase', suite, folder, mirror], { all: true, timeout: 1_200_000 });
  });
}

async function install({ suite, packages }: Contents, archive: string): Promise<void> {
  const base = await makeArchive({ suite, packages: [] });
  await inScratchFolder(archive, async (folder) => {
    await execa('tar', ['-xf', base, '-C', folder]);
    await copySettings(folder, settings.network);
    const apt = (...args: string[]) =>
      runInside({
        folder,
        // Nobody keeps a root over a crash of the machine.
        argv: ['apt-get', '-q', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Options::=--force-unsafe-io', ...args],
        options: { timeoutMs: 1_200_000, env: { DEBIAN_FRONTEND: 'noninteractive' } },
      });
    await apt('update');
    await apt('install', '--yes', '--no-install-recommends', ...packages);
    await apt('clean');
  });
}

/** The archive appears whole, by a rename. */
async function inScratchFolder(archive: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${archive}.${process.pid}.folder`;
  const partial = `${archive}.${process.pid}.partial`;
  await mkdir(folder, { recursive: true });
  try {
    await fill(folder);
    await execa('tar', ['-cf', partial, '-C', folder, '.']);
    await rename(partial, archive);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    await rm(partial, { force: true });
  }
}

/** How this machine reaches package registries. Those of npm may hold a token: no archive has them. */
const settings = {
  network: ['/etc/resolv.conf', '/etc/hosts', ...Object.values(certificates())],
  npm: ['/root/.npmrc', '/etc/npmrc'],
} as const;

/** Copies settings of this machine. No service starts with its package. */
async function copySettings(folder: string, files: readonly string[]): Promise<void> {
  for (const file of files) {
    await cp(file, path.join(folder, file), { dereference: true }).catch(() => undefined);
  }
  await writeFile(path.join(folder, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 101\n', { mode: 0o755 });
}

function certificates(): Readonly<Record<string, string>> {
  const { NODE_EXTRA_CA_CERTS: file } = process.env;
  return file === undefined ? {} : { NODE_EXTRA_CA_CERTS: file };
}

/** In namespaces of mounts and processes of its own, so that nothing stays mounted or running. */
async function runInside({
  folder,
  argv,
  options: { cwd, env, timeoutMs },
}: {
  readonly folder: string;
  readonly argv: readonly [string, ...string[]];
  readonly options: RunOptions;
}): Promise<string> {
  const mounts = ['proc', 'dev', 'sys'].map((name) =>
    name === 'proc' ? 'mount -t proc proc "$root/proc"' : `mount --rbind /${name} "$root/${name}"`,
  );
  // The root is a mount point, as it is on a machine: programs inside may make namespaces of their own.
  const enter = ['cd "$root"', 'pivot_root . .', 'umount -l .', 'exec env -C "$folder" "$@"'];
  const script = ['root=$1; folder=$2; shift 2', 'mount --bind "$root" "$root"', ...mounts, ...enter].join('\n');
  const flags = ['--mount', '--pid', '--fork', '--kill-child', '--propagation', 'private'];
  const { all } = await execa('unshare', [...flags, 'sh', '-ec', script, 'sh', folder, cwd ?? '/root', ...argv], {
    all: true,
    extendEnv: false,
    env: { PATH: programFolders, HOME: '/root', LC_ALL: 'C.UTF-8', ...certificates(), ...env },
    timeout: timeoutMs ?? 120_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  return all;
}

const programFolders = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
