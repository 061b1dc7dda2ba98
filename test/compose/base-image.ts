// The base image node:22-bookworm-slim, made from Debian's and npm's packages: no registry of images is asked. The published
// one has Debian 12 without documentation, Node and npm in /usr/local, and the user node (1000), and so has this.
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { makeDebianRoot } from '../sandbox/debian-root.ts';
import { run } from './command.ts';
import { projectDir } from './file.ts';
import { digest, type Layers } from './layers.ts';

const known = 'node:22-bookworm-slim';
const toolsDir = join(projectDir, '.tools/compose');
const authorities = '/etc/ssl/certs/ca-certificates.crt';
const longMs = 900_000;

/** Made at the first use, in a minute or two. Rejects for every other base image. */
export async function baseLayers(base: string, logLine: (line: string) => void): Promise<Layers> {
  if (base !== known) throw new Error(`the tests know the base image ${known}, and not ${base}`);
  const folder = join(toolsDir, 'base');
  if (!existsSync(folder)) {
    const partial = `${folder}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(toolsDir, { recursive: true });
    logLine(`making ${known} with debootstrap, a few minutes the first time`);
    const debian = await makeDebianRoot({ suite: 'bookworm', packages: [] });
    try {
      await addNode(debian.folder);
      await removeNpmSettings(debian.folder);
      await run(['cp', '--archive', debian.folder, partial], { timeoutMs: longMs });
    } finally {
      await debian.close();
    }
    await rename(partial, folder);
  }
  return { folders: [folder], key: digest(known) };
}

/** They may hold a token. {@link runInside} gives npm what it needs. */
async function removeNpmSettings(root: string): Promise<void> {
  for (const file of ['root/.npmrc', 'etc/npmrc']) await rm(join(root, file), { force: true });
}

async function addNode(root: string): Promise<void> {
  await copyFile(join(projectDir, 'node_modules/node/bin/node'), join(root, 'usr/local/bin/node'));
  const npm = dirname(dirname(await realpath((await run(['which', 'npm'])).trim())));
  await cp(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  await run(['chroot', root, 'useradd', '--uid', '1000', '--create-home', '--shell', '/bin/bash', 'node']);
}

/** Runs a line of shell in the folder as in a machine of its own, with this machine's network, registries and authorities. */
export async function runInside(
  root: string,
  { workdir, line }: { readonly workdir: string; readonly line: string },
): Promise<void> {
  const shared = join(root, 'run/host');
  await mkdir(shared, { recursive: true });
  const cache = join(homedir(), '.npm');
  await mkdir(cache, { recursive: true });
  const mounts: readonly (readonly string[])[] = [
    ['-t', 'proc', 'proc', join(root, 'proc')],
    ['--rbind', '/dev', join(root, 'dev')],
    ['-t', 'tmpfs', 'tmpfs', shared],
  ];
  try {
    for (const mount of mounts) await run(['mount', ...mount]);
    await mkdir(join(shared, 'npm'));
    await run(['mount', '--bind', cache, join(shared, 'npm')]);
    if (existsSync(authorities)) await copyFile(authorities, join(shared, 'authorities.crt'));
    await writeFile(join(root, 'etc/resolv.conf'), await run(['cat', '/etc/resolv.conf']));
    await run(['chroot', root, '/bin/sh', '-c', `cd ${workdir} && ${line}`], {
      timeoutMs: longMs,
      env: await environment(shared.slice(root.length)),
    });
  } finally {
    for (const mount of mounts.toReversed()) {
      await run(['umount', '--recursive', '--lazy', mount.at(-1) ?? '']).catch(() => undefined);
    }
    await rm(shared, { recursive: true, force: true });
  }
}

async function environment(shared: string): Promise<NodeJS.ProcessEnv> {
  const registry = (await run(['npm', 'config', 'get', 'registry'], { timeoutMs: 30_000 })).trim();
  const file = `${shared}/authorities.crt`;
  return {
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
    DEBIAN_FRONTEND: 'noninteractive',
    npm_config_registry: registry,
    npm_config_cache: `${shared}/npm`,
    npm_config_prefer_offline: 'true',
    ...(existsSync(authorities) && { npm_config_cafile: file, NODE_EXTRA_CA_CERTS: file, SSL_CERT_FILE: file }),
  };
}
