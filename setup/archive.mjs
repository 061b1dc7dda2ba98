// Fetches packages of another Debian release and unpacks them under .tools/, leaving the machine's apt and dpkg alone:
// its own source list, package lists, cache and (empty) dpkg status. apt verifies the release by Debian's signature.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { BootstrapError, say } from './log.mjs';
import { findProgram, toolsDir } from './paths.mjs';
import { debianMirrors, parseDeb822, parseOneLine } from './sources.mjs';

// The keyring with the keys of every release; a source entry of the machine may name the key of its own release only.
const keyrings = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

/**
 * Downloads packages and unpacks them into `rootDir`.
 * @param {{ suites: string[], packages: string[], rootDir: string, withDependencies: 'none' | 'all' }} request
 */
export async function unpackFromDebian({ suites, packages, rootDir, withDependencies }) {
  const mirrors = machineMirrors();
  if (mirrors.length === 0)
    throw new BootstrapError('found no Debian mirror in /etc/apt/sources.list or sources.list.d');
  const failures = [];
  for (const mirror of mirrors) {
    try {
      return await unpackFrom(mirror, { suites, packages, rootDir, withDependencies });
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new BootstrapError(failures.join('\n'));
}

async function unpackFrom(mirror, { suites, packages, rootDir, withDependencies }) {
  const apt = privateApt(mirror, suites);
  try {
    say(`fetching ${packages.join(', ')} (Debian ${suites.join(', ')}) from ${new URL(mirror).host || mirror}`);
    await apt.run(['update']);
    if (withDependencies === 'all') {
      await apt.run(['install', '--yes', '--no-install-recommends', '--download-only', ...packages]);
    } else {
      await apt.run(['download', ...packages]);
    }
    await unpack(apt.debs(), rootDir);
  } finally {
    apt.remove();
  }
}

async function unpack(debs, rootDir) {
  const dpkgDeb = findProgram('dpkg-deb');
  if (dpkgDeb === undefined) throw new BootstrapError('dpkg-deb is not on this machine');
  mkdirSync(rootDir, { recursive: true });
  for (const deb of debs) await run([dpkgDeb, '-x', deb, rootDir], { timeoutMs: 120_000 });
}

function privateApt(mirror, suites) {
  const aptGet = findProgram('apt-get');
  if (aptGet === undefined) throw new BootstrapError('apt-get is not on this machine');
  const dir = join(toolsDir, 'apt', suites.join('+'));
  rmSync(dir, { recursive: true, force: true });
  const archives = join(dir, 'cache/archives');
  for (const made of ['lists/partial', 'cache/archives/partial', 'etc', 'log'])
    mkdirSync(join(dir, made), { recursive: true });
  const keyring = keyrings.find(existsSync);
  const options = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  writeFileSync(
    join(dir, 'etc/sources.list'),
    suites.map((suite) => `deb ${options}${mirror} ${suite} main\n`).join(''),
  );
  writeFileSync(join(dir, 'status'), '');
  const conf = join(dir, 'etc/apt.conf');
  writeFileSync(conf, privateConf(dir));
  return {
    run: (args) =>
      run([aptGet, '-q', '-c', conf, ...args], { cwd: archives, env: { LC_ALL: 'C' }, timeoutMs: 600_000 }),
    debs: () =>
      readdirSync(archives)
        .filter((name) => name.endsWith('.deb'))
        .map((name) => join(archives, name)),
    remove: () => rmSync(join(toolsDir, 'apt'), { recursive: true, force: true }),
  };
}

// The file given with -c is read after the machine's own apt.conf.d, whose proxies and certificates stay in force;
// its hooks (cleaning /var/cache, refreshing software catalogues) do not.
function privateConf(dir) {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear APT::Default-Release;
Dir::Etc::sourcelist "${dir}/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "${dir}";
Dir::State::status "${dir}/status";
Dir::State::lists "${dir}/lists";
Dir::Cache "${dir}/cache";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
Dir::Log "${dir}/log";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::PDiffs "false";
`;
}

/** The URIs of Debian's main archive in the machine's own source lists, the likeliest first. */
export function machineMirrors() {
  const read = (path) => readFileSync(path, 'utf8');
  const main = '/etc/apt/sources.list';
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  return debianMirrors([
    ...(existsSync(main) ? parseOneLine(read(main)) : []),
    ...names.filter((name) => name.endsWith('.sources')).flatMap((name) => parseDeb822(read(join(parts, name)))),
    ...names.filter((name) => name.endsWith('.list')).flatMap((name) => parseOneLine(read(join(parts, name)))),
  ]);
}
