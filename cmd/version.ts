import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { oldestConsul, untestedConsul } from '../lib/model/consul-versions.ts';
import { packageFolder, readEmbedded } from '../lib/package-files.ts';
import type { ExitCode } from './exit-code.ts';
import { neededNode } from './node-version.ts';
import { jsonOption } from './option.ts';
import { drawTable, printJson, printLine } from './terminal.ts';

/** As package.json has it. */
export const version: string = JSON.parse(readManifest()).version;

export function addVersion(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('version')
    .description('Print the versions of switchmaster, Node.js and Consul that work together.')
    .addOption(jsonOption())
    .action(async ({ json }: { readonly json?: true }) => {
      const versions = await readVersions();
      if (json === true) printJson(versions);
      else for (const line of drawVersions(versions)) printLine(line);
      done(0);
    });
}

function readManifest(): string {
  const file = path.join(packageFolder, 'package.json');
  return readEmbedded(file) ?? readFileSync(file, 'utf8');
}

interface Versions {
  readonly version: string;
  /** Of a checkout; null where it is not known. */
  readonly commit: string | null;
  readonly node: { readonly version: string; readonly needed: string };
  readonly platform: { readonly os: string; readonly architecture: string };
  /** `before` is the first version that it is not tested with. */
  readonly consul: { readonly oldest: string; readonly before: string };
}

async function readVersions(): Promise<Versions> {
  return {
    version,
    commit: await readCommit(),
    node: { version: process.versions.node, needed: neededNode },
    platform: { os: process.platform, architecture: process.arch },
    consul: { oldest: oldestConsul.join('.'), before: untestedConsul.join('.') },
  };
}

/** An installed package is no checkout, although a folder above it may be one. */
async function readCommit(): Promise<string | null> {
  if (!existsSync(path.join(packageFolder, '.git'))) return null;
  const git = promisify(execFile)('git', ['-C', packageFolder, 'rev-parse', 'HEAD'], { timeout: 5_000 });
  return git.then(({ stdout }) => stdout.trim()).catch(() => null);
}

function drawVersions({ commit, node, platform, consul, ...own }: Versions): readonly string[] {
  return drawTable([
    ['switchmaster', own.version],
    ['commit', commit ?? 'not known'],
    ['Node.js', `${node.version} (needs ${node.needed} or newer)`],
    ['platform', `${platform.os} ${platform.architecture}`],
    ['Consul API', `${consul.oldest} or newer, before ${consul.before}`],
  ]);
}
