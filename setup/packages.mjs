import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { run } from './command.mjs';
import { BootstrapError, say } from './log.mjs';
import { findProgram, searchDirs } from './paths.mjs';
import { disableServices, withServicesHeld } from './services.mjs';

/** The programs that come from Debian as they are, each with its package. */
export const debianPrograms = [
  { program: 'redis-server', package: 'redis-server', service: 'redis-server' },
  { program: 'redis-sentinel', package: 'redis-sentinel', service: 'redis-sentinel' },
  { program: 'redis-cli', package: 'redis-tools' },
  { program: 'nutcracker', package: 'nutcracker', service: 'nutcracker' },
  { program: 'haproxy', package: 'haproxy', service: 'haproxy' },
  { program: 'dig', package: 'bind9-dnsutils' },
  // Guides ask the HTTP API with it.
  { program: 'curl', package: 'curl' },
  { program: 'chromium-headless-shell', package: 'chromium-headless-shell' },
  // Tests cut links between servers, in a network namespace of their own.
  { program: 'ip', package: 'iproute2' },
  { program: 'nft', package: 'nftables', service: 'nftables' },
  // Another reader of YAML, for what `format yaml` writes.
  { program: 'python3', package: 'python3-yaml', module: 'yaml' },
];

/** What `--with` and `--try` also take: programs that the machine's own apt installs. */
export const extraPrograms = {
  java: [
    { program: 'java', package: 'default-jdk-headless' },
    { program: 'javac', package: 'default-jdk-headless' },
  ],
  debootstrap: [{ program: 'debootstrap', package: 'debootstrap' }],
};

/** The programs that are in none of the folders, or lack their module. */
export function missingPrograms(programs = debianPrograms, dirs = searchDirs()) {
  return programs.filter(({ program, module }) => {
    const found = findProgram(program, dirs);
    return found === undefined || (module !== undefined && !hasModule(found, module));
  });
}

/** Debian's folder first: to start Python takes as long as all the rest together. */
function hasModule(python, name) {
  if (existsSync(`/usr/lib/python3/dist-packages/${name}/__init__.py`)) return true;
  return spawnSync(python, ['-c', `import ${name}`]).status === 0;
}

/**
 * Installs the packages of missing programs with the machine's own apt. If that is not possible, reports what to install.
 */
export async function installPackages(missing, { aptGet, user } = machine()) {
  const packages = [...new Set(missing.map((entry) => entry.package))];
  if (aptGet === undefined || user !== 'root') throw new BootstrapError(instructions(missing, aptGet));
  say(`installing ${packages.join(', ')} with apt`);
  const install = () => apt(aptGet, ['install', '--yes', '--no-install-recommends', ...packages]);
  await withServicesHeld(async () => {
    // A fresh machine has no package lists, an old one has lists that name versions the mirror no longer keeps.
    await install().catch(async () => {
      say('reading package lists (apt-get update)');
      await apt(aptGet, ['update']);
      await install();
    });
  });
  await disableServices(missing.flatMap((entry) => entry.service ?? []));
  const still = missingPrograms(missing);
  if (still.length > 0) throw new BootstrapError(instructions(still, aptGet));
}

function machine() {
  return { aptGet: findProgram('apt-get'), user: process.getuid?.() === 0 ? 'root' : 'other' };
}

async function apt(aptGet, args) {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3'];
  const env = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', LC_ALL: 'C' };
  await run([aptGet, ...options, ...args], { env, timeoutMs: 900_000 });
}

function instructions(missing, aptGet) {
  const programs = missing.map(({ program }) => program).join(', ');
  const packages = [...new Set(missing.map((entry) => entry.package))].join(' ');
  const why = aptGet === undefined ? 'there is no apt-get on this machine' : 'installing packages needs root';
  return [
    `not found on PATH or in /usr/sbin: ${programs}; ${why}.`,
    aptGet === undefined
      ? `Install these programs (Debian's packages are: ${packages}) and run this again.`
      : `Run this as root, then start again:  apt-get update && apt-get install --no-install-recommends ${packages}`,
  ].join('\n');
}
