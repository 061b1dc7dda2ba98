// Other editions of the servers, for tests against them. They are unpacked beside what the machine has, and run with their
// own libraries, because the machine's libc may be older than the one that they were built for. Also editions of redis-py,
// which the machine's Python runs.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { unpackFromDebian } from './archive.mjs';
import { BootstrapError } from './log.mjs';
import { toolsBinDir, toolsDir } from './paths.mjs';

/**
 * What `--with` and `--try` take. `commands`: the name in .tools/bin, and the program with arguments that follow the
 * caller's. The program python3 is the machine's: its packages are modules without their dependencies.
 */
export const editions = {
  redis8: {
    suites: ['trixie'],
    packages: ['redis-server', 'redis-tools'],
    commands: {
      'redis8-server': ['usr/bin/redis-server'],
      'redis8-sentinel': ['usr/bin/redis-server', '--sentinel'],
      'redis8-cli': ['usr/bin/redis-cli'],
    },
  },
  valkey: {
    suites: ['bookworm', 'bookworm-backports'],
    packages: ['valkey-server/bookworm-backports', 'valkey-tools/bookworm-backports'],
    commands: {
      'valkey-server': ['usr/bin/valkey-server'],
      'valkey-sentinel': ['usr/bin/valkey-server', '--sentinel'],
      'valkey-cli': ['usr/bin/valkey-cli'],
    },
  },
  // Debian testing: its version moves on. Sentinels of Valkey 9 know coordinated failovers.
  valkey9: {
    suites: ['forky'],
    packages: ['valkey-server', 'valkey-sentinel', 'valkey-tools'],
    commands: {
      'valkey9-server': ['usr/bin/valkey-server'],
      'valkey9-sentinel': ['usr/bin/valkey-server', '--sentinel'],
      'valkey9-cli': ['usr/bin/valkey-cli'],
    },
  },
  // Moves an address between two machines. Only tests use it, in network namespaces.
  keepalived: { suites: ['bookworm'], packages: ['keepalived'], commands: { keepalived: ['usr/sbin/keepalived'] } },
  // Reads the metrics as the guide says.
  prometheus: {
    suites: ['bookworm'],
    packages: ['prometheus'],
    commands: { prometheus: ['usr/bin/prometheus'], promtool: ['usr/bin/promtool'] },
  },
  haproxy3: { suites: ['trixie'], packages: ['haproxy'], commands: { haproxy3: ['usr/sbin/haproxy'] } },
  'redis-py4': {
    suites: ['bookworm'],
    packages: ['python3-redis', 'python3-async-timeout', 'python3-deprecated', 'python3-packaging', 'python3-wrapt'],
    commands: { 'redis-py4': ['python3'] },
  },
  'redis-py6': { suites: ['trixie'], packages: ['python3-redis'], commands: { 'redis-py6': ['python3'] } },
  // Celery 5.2 with the libraries that a producer of tasks imports, and redis-py 4.
  celery5: {
    suites: ['bookworm'],
    packages: [
      ...[
        'celery',
        'kombu',
        'amqp',
        'vine',
        'billiard',
        'tz',
        'click',
        'click-didyoumean',
        'click-plugins',
        'click-repl',
      ],
      ...[
        'prompt-toolkit',
        'wcwidth',
        'six',
        'cached-property',
        'redis',
        'async-timeout',
        'deprecated',
        'packaging',
        'wrapt',
      ],
    ].map((name) => `python3-${name}`),
    commands: { celery5: ['python3'] },
  },
  predis1: { suites: ['bookworm'], packages: ['php-cli', 'php-predis'], commands: { predis1: ['usr/bin/php8.2'] } },
  // redis-client is what redis-rb 5 and Sidekiq 7 connect with.
  'redis-rb5': { suites: ['trixie'], packages: ['ruby', 'ruby-redis'], commands: { 'redis-rb5': ['usr/bin/ruby'] } },
};

/** The names in such a list. Throws on an unknown one. */
export function parseEditions(list) {
  const names = list.split(',').filter(Boolean);
  const unknown = names.filter((name) => !Object.hasOwn(editions, name));
  if (unknown.length === 0) return names;
  throw new BootstrapError(`no edition ${unknown.join(', ')}; there are ${Object.keys(editions).join(', ')}`);
}

export function hasEdition(name) {
  return Object.keys(editions[name].commands).every((command) => existsSync(join(toolsBinDir, command)));
}

/** Unpacks an edition into .tools/<name> and puts its commands into .tools/bin. */
export async function unpackEdition(name) {
  const { suites, packages, commands } = editions[name];
  const rootDir = join(toolsDir, name);
  const partial = `${rootDir}.partial`;
  rmSync(partial, { recursive: true, force: true });
  try {
    const withDependencies = Object.values(commands).some(isPython) ? 'none' : 'all';
    await unpackFromDebian({ suites, packages, rootDir: partial, withDependencies });
    rmSync(rootDir, { recursive: true, force: true });
    renameSync(partial, rootDir);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  mkdirSync(toolsBinDir, { recursive: true });
  for (const [command, [program, ...args]] of Object.entries(commands)) {
    const file = join(toolsBinDir, command);
    writeFileSync(file, isPython([program]) ? pythonWrapper(rootDir) : wrapper({ rootDir, program, args }));
    chmodSync(file, 0o755);
  }
}

function isPython([program]) {
  return program === 'python3';
}

function pythonWrapper(rootDir) {
  return script(rootDir, `PYTHONPATH="${join(rootDir, 'usr/lib/python3/dist-packages')}" exec python3 "$@"`);
}

/** A command that finds its edition from where it lies itself: a folder that is moved or linked keeps its commands. */
function script(rootDir, text) {
  return `#!/bin/sh\nroot="\${0%/*}/../${basename(rootDir)}"\n${text.replaceAll(rootDir, '$root')}\n`;
}

function wrapper({ rootDir, program, args }) {
  const libraries = ['lib', 'usr/lib'].flatMap((dir) => tripletDirs(join(rootDir, dir)));
  const loader = libraries
    .flatMap((dir) => readdirSync(dir).map((file) => join(dir, file)))
    .find((file) => /\/ld-linux[^/]*\.so\.\d+$/.test(file));
  if (loader === undefined) throw new BootstrapError(`${rootDir} holds no loader (ld-linux*.so)`);
  // HAProxy starts itself again by its own name on a reload; that name is this wrapper's.
  const run = `exec "${loader}" --argv0 "$0" --library-path "${libraries.join(':')}" "${join(rootDir, program)}"`;
  return script(rootDir, `${rubyPaths(rootDir)}${run} ${['"$@"', ...args].join(' ')}`);
}

/** Where a Ruby that is unpacked here finds its own modules; empty for every other program. */
function rubyPaths(rootDir) {
  const library = join(rootDir, 'usr/lib/ruby');
  if (!existsSync(library)) return '';
  const [version] = readdirSync(library).filter((entry) => /^\d/.test(entry));
  const native = tripletDirs(join(rootDir, 'usr/lib')).map((dir) => join(dir, 'ruby', version));
  const gemsDir = join(rootDir, 'usr/share/rubygems-integration/all/gems');
  const gems = existsSync(gemsDir) ? readdirSync(gemsDir).map((gem) => join(gemsDir, gem, 'lib')) : [];
  const paths = [...gems, join(library, 'vendor_ruby'), join(library, version), ...native].join(':');
  return `export RUBYLIB="${paths}" RUBYOPT=--disable-gems\n`;
}

function tripletDirs(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((entry) => entry.includes('-linux-'))
    .map((entry) => join(dir, entry));
}
