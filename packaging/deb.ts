import { chmod, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { execa } from 'execa';
import { buildBundle } from './bundle.ts';
import { packagedUnit } from './unit.ts';

/*
 * The Debian package. Debian 12 has no Node.js that is new enough, so the package has the one of the project's own
 * node_modules in a folder of its own, and the single-file bundle.
 */

const root = path.resolve(import.meta.dirname, '..');
const deploy = path.join(root, 'deploy');

interface Request {
  /** Where the staged tree and the package go. */
  readonly folder: string;
  /** Default: that of package.json. */
  readonly version?: string;
  /** `smallest` takes half a minute. */
  readonly compression: 'smallest' | 'fast';
}

/** Builds the package and answers its path. */
export async function buildDeb({ folder, version, compression }: Request): Promise<string> {
  const manifest = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const staged = path.join(folder, 'deb');
  const architecture = debianArchitecture();
  await rm(staged, { recursive: true, force: true });
  await stageFiles(staged);
  await stageControl(staged, { VERSION: version ?? manifest.version, ARCHITECTURE: architecture });
  const file = path.join(folder, `switchmaster_${version ?? manifest.version}_${architecture}.deb`);
  const flags = compression === 'smallest' ? ['-Zxz'] : ['-Zgzip', '-z1'];
  await execa('dpkg-deb', ['--root-owner-group', ...flags, '--build', staged, file]);
  return file;
}

/** Everything that the package installs. */
async function stageFiles(staged: string): Promise<void> {
  const at = (file: string) => path.join(staged, file);
  await buildBundle(at('usr/lib/switchmaster/switchmaster.mjs'));
  await copy(process.execPath, at('usr/lib/switchmaster/node'), 0o755);
  await write(at('usr/bin/switchmaster'), launcher, 0o755);
  const unit = await readFile(path.join(deploy, 'systemd/switchmaster.service'), 'utf8');
  await write(at('usr/lib/systemd/system/switchmaster.service'), packagedUnit(unit));
  await copy(path.join(deploy, 'systemd/sysusers.conf'), at('usr/lib/sysusers.d/switchmaster.conf'));
  await copy(path.join(deploy, 'systemd/polkit.rules'), at('usr/share/polkit-1/rules.d/50-switchmaster.rules'));
  await copy(path.join(deploy, 'debian/switchmaster.yml'), at('etc/switchmaster/switchmaster.yml'));
  await copy(path.join(deploy, 'pacemaker/http-check'), at('usr/lib/ocf/resource.d/switchmaster/http-check'), 0o755);
  await copy(path.join(deploy, 'debian/default'), at('etc/default/switchmaster'));
  await stageDocs(at('usr/share/doc/switchmaster'));
  await stageOutput(staged);
}

const launcher = '#!/bin/sh\nexec /usr/lib/switchmaster/node /usr/lib/switchmaster/switchmaster.mjs "$@"\n';

async function stageDocs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await cp(path.join(root, 'docs'), path.join(folder, 'docs'), { recursive: true });
  await cp(path.join(root, 'templates'), path.join(folder, 'templates'), { recursive: true });
  for (const part of ['grafana', 'prometheus']) {
    await cp(path.join(deploy, part), path.join(folder, 'deploy', part), { recursive: true });
  }
  const changes = await readFile(path.join(root, 'CHANGELOG.md'));
  await write(path.join(folder, 'changelog.gz'), await promisify(gzip)(changes, { level: 9 }));
  const license = await readFile(path.join(root, 'LICENSE'), 'utf8');
  await write(path.join(folder, 'copyright'), `${license}\n${librariesNote}`);
  await copy(await findNodeLicense(), path.join(folder, 'LICENSE.node'));
}

/** Node.js has it beside `bin`; the npm package `node` in the package of the architecture. */
async function findNodeLicense(): Promise<string> {
  const home = path.dirname(path.dirname(process.execPath));
  const own = `node_modules/node-linux-${process.arch}/LICENSE`;
  const files = [path.join(home, 'LICENSE'), path.join(home, own), path.join(root, own)];
  const found = await Promise.all(
    files.map((file) =>
      stat(file).then(
        () => file,
        () => undefined,
      ),
    ),
  );
  const [license] = found.filter((file) => file !== undefined);
  if (license === undefined) throw new Error(`Node.js's LICENSE is missing; searched ${files.join(', ')}`);
  return license;
}

const librariesNote =
  'The licenses of the libraries are at the end of /usr/lib/switchmaster/switchmaster.mjs. /usr/lib/switchmaster/node is Node.js,\n' +
  'with the licenses in /usr/share/doc/switchmaster/LICENSE.node.\n';

/** What the program itself prints. */
async function stageOutput(staged: string): Promise<void> {
  const program = path.join(staged, 'usr/lib/switchmaster/switchmaster.mjs');
  const print = async (...args: string[]) => (await execa(process.execPath, [program, ...args])).stdout;
  const manual = await promisify(gzip)(await print('manual'), { level: 9 });
  await write(path.join(staged, 'usr/share/man/man1/switchmaster.1.gz'), manual);
  const completions = path.join(staged, 'usr/share/bash-completion/completions/switchmaster');
  await write(completions, `${await print('completion', 'bash')}\n`);
}

async function stageControl(staged: string, values: { readonly [name: string]: string }): Promise<void> {
  const control = path.join(staged, 'DEBIAN');
  await mkdir(control, { recursive: true });
  const size = String(Math.ceil((await sizeOf(staged)) / 1024));
  const text = await readFile(path.join(deploy, 'debian/control'), 'utf8');
  const filled = text.replace(/@([A-Z]+)@/g, (_, name: string) => ({ ...values, SIZE: size })[name] ?? '');
  await write(path.join(control, 'control'), filled);
  await copy(path.join(deploy, 'debian/conffiles'), path.join(control, 'conffiles'));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await copy(path.join(deploy, 'debian', script), path.join(control, script), 0o755);
  }
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => stat(file)))).reduce((sum, { size }) => sum + size, 0);
}

function debianArchitecture(): string {
  const name = ({ x64: 'amd64', arm64: 'arm64' } as const)[process.arch as string];
  if (name === undefined) throw new Error(`no Debian architecture is known for ${process.arch}`);
  return name;
}

async function copy(from: string, to: string, mode = 0o644): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, mode);
}

async function write(file: string, text: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await chmod(file, mode);
}
