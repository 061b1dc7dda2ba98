import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { editions } from '../../setup/editions.mjs';
import { bindingsToInstall, missingBindings, modulesCurrent, satisfies } from '../../setup/modules.mjs';
import { debianPrograms, installPackages, missingPrograms } from '../../setup/packages.mjs';

const bootstrap = fileURLToPath(new URL('../../setup/bootstrap.mjs', import.meta.url));

t.test('the bootstrap says nothing when nothing is missing', async (t) => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bootstrap], { timeout: 10_000 });
  t.equal(stdout, '');
  t.equal(stderr, '');
});

t.test('an edition that there is not is named, with those that there are', async (t) => {
  await t.rejects(promisify(execFile)(process.execPath, [bootstrap, '--with', 'redis8,nope'], { timeout: 10_000 }), {
    code: 1,
    stderr: `bootstrap: no edition nope; there are ${Object.keys(editions).join(', ')}\n`,
  });
});

t.test('an option that there is not is answered with the usage', async (t) => {
  for (const args of [['--wiht', 'redis8'], ['--with'], ['redis8']])
    await t.rejects(promisify(execFile)(process.execPath, [bootstrap, ...args], { timeout: 10_000 }), {
      code: 1,
      stderr: 'bootstrap: usage: bootstrap.mjs [--with NAME,NAME] [--try NAME,NAME]\n',
    });
});

t.test('programs are looked for in the given folders', async (t) => {
  t.strictSame(missingPrograms(debianPrograms, ['/nowhere']), debianPrograms);
  t.strictSame(missingPrograms(), []);
});

t.test('without root it says what to run as root, each package once', async (t) => {
  const missing = missingPrograms(debianPrograms, ['/nowhere']);
  await t.rejects(installPackages(missing, { aptGet: '/usr/bin/apt-get', user: 'other' }), {
    message:
      /redis-server, .*haproxy.*needs root\.[\s\S]*apt-get install --no-install-recommends redis-server redis-sentinel redis-tools nutcracker haproxy bind9-dnsutils curl chromium-headless-shell iproute2 nftables python3-yaml$/,
  });
});

t.test('without apt it says which programs to install', async (t) => {
  const missing = debianPrograms.filter(({ program }) => program === 'haproxy');
  await t.rejects(installPackages(missing, { aptGet: undefined, user: 'root' }), {
    message: /haproxy; there is no apt-get on this machine[\s\S]*Install these programs/,
  });
});

t.test('npm packages are judged by what the lockfiles hold', async (t) => {
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-o', optional: true },
    },
  };
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  t.equal(satisfies({ packages: { 'node_modules/a': a } }, wanted), true);
  t.equal(satisfies({ packages: {} }, wanted), false);
  t.equal(satisfies({ packages: { 'node_modules/a': { ...a, version: '1.0.1' } } }, wanted), false);
  t.equal(satisfies({ packages: { 'node_modules/a': { ...a, integrity: 'sha512-b' } } }, wanted), false);
  const stale = { version: '0.9.0', integrity: 'sha512-x', optional: true };
  t.equal(satisfies({ packages: { 'node_modules/a': a, 'node_modules/other-platform': stale } }, wanted), false);
  t.equal(modulesCurrent('/nowhere'), false);
});

t.test('optional packages for this platform that npm left out are found', async (t) => {
  const gnu = { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: ['glibc'] };
  const wanted = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/needed': { version: '1.0.0' },
      'node_modules/anywhere': { version: '1.0.0', optional: true },
      'node_modules/@a/gnu': gnu,
      'node_modules/b/node_modules/@a/any-libc': { ...gnu, libc: undefined as never },
      'node_modules/@a/musl': { ...gnu, libc: ['musl'] },
      'node_modules/@a/mac': { ...gnu, os: ['darwin'] },
      'node_modules/@a/arm': { ...gnu, cpu: ['arm64'] },
    },
  };
  const linux = { os: 'linux', cpu: 'x64', libc: 'glibc' };
  t.strictSame(missingBindings({ packages: {} }, wanted, linux), ['@a/gnu@1.0.0', '@a/any-libc@1.0.0']);
  t.strictSame(missingBindings({ packages: { 'node_modules/@a/gnu': gnu } }, wanted, { ...linux, libc: 'musl' }), [
    '@a/any-libc@1.0.0',
    '@a/musl@1.0.0',
  ]);
  t.strictSame(missingBindings(wanted, wanted, linux), []);
  t.strictSame(bindingsToInstall(), []);
  t.strictSame(bindingsToInstall('/nowhere'), []);
});

t.test('the lockfile names the packages of every platform, without which npm ci refuses it', async (t) => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const wanted = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}));
  t.strictSame(
    wanted.filter((name) => lock.packages[`node_modules/${name}`] === undefined),
    [],
  );
});
