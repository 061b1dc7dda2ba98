// npm packages. The bootstrap compares contents, not file times: a fresh checkout gives every file a new time, and a
// needless `npm ci` costs half a minute and removes the packages of a running process.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { BootstrapError, say } from './log.mjs';
import { findProgram, projectDir } from './paths.mjs';

const unwantedPlugin = '@tapjs/typescript';

/** True when node_modules holds what package-lock.json asks for. */
export function modulesCurrent(dir = projectDir) {
  const wanted = readLock(join(dir, 'package-lock.json'));
  const installed = readLock(join(dir, 'node_modules/.package-lock.json'));
  return wanted !== undefined && installed !== undefined && satisfies(installed, wanted);
}

/**
 * Compares two lockfiles' `packages`. An optional package may be absent (it is for another platform); what is present
 * must be the version asked for.
 */
export function satisfies(installed, wanted) {
  return Object.entries(wanted.packages ?? {}).every(([path, entry]) => {
    if (path === '') return true;
    const found = installed.packages?.[path];
    if (found === undefined) return entry.optional === true || entry.devOptional === true;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** Installs exactly what package-lock.json names. */
export async function installModules() {
  const npm = findProgram('npm');
  if (npm === undefined)
    throw new BootstrapError('npm is not on PATH. Install npm (it comes with Node.js), then start again.');
  say('installing npm packages (npm ci)');
  // Errors are shown, warnings are not: this Node may be older than the one that the project brings along in its packages
  // and runs on, and npm would call each package unsupported for it.
  await run([npm, 'ci', '--loglevel=error', '--no-audit', '--no-fund'], { cwd: projectDir, timeoutMs: 900_000 });
}

/**
 * The optional packages for this platform that npm left out: it does so, without a word, with those for a newer Node than runs it.
 * The project's own Node needs them.
 */
export function missingBindings(installed, wanted, { os, cpu, libc }) {
  return Object.entries(wanted.packages ?? {}).flatMap(([path, entry]) => {
    const fits = entry.os?.includes(os) && entry.cpu?.includes(cpu) && (entry.libc ?? [libc]).includes(libc);
    if (entry.optional !== true || !fits || installed.packages?.[path] !== undefined) return [];
    return [`${path.replace(/^.*node_modules\//, '')}@${entry.version}`];
  });
}

/** The same for the packages of this project, on this machine: none before any are installed. */
export function bindingsToInstall(dir = projectDir) {
  const installed = readLock(join(dir, 'node_modules/.package-lock.json'));
  const wanted = readLock(join(dir, 'package-lock.json'));
  if (installed === undefined || wanted === undefined) return [];
  const { glibcVersionRuntime } = process.report?.getReport().header ?? {};
  const libc = glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return missingBindings(installed, wanted, { os: process.platform, cpu: process.arch, libc });
}

/** Only a check of the project's own code needs them, so the rest continues without them. */
export async function installBindings() {
  const names = bindingsToInstall();
  say(`installing ${names.join(', ')}, which npm left out for an old Node.js`);
  const options = ['--no-save', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund'];
  await run([findProgram('npm'), 'install', ...options, ...names], { cwd: projectDir, timeoutMs: 300_000 }).catch(
    (error) => say(`continues without them: ${error.message}`),
  );
}

/** True when the test runner is built as .taprc says. */
export function testRunnerCurrent(dir = projectDir) {
  return !readText(join(dir, 'node_modules/@tapjs/test/test-built/dist/esm/index.js')).includes(`"${unwantedPlugin}"`);
}

/** Builds it: by default, tap compiles TypeScript, which Node does here. */
export async function buildTestRunner() {
  say('building the test runner (tap build)');
  const bin = join(projectDir, 'node_modules/.bin');
  await run([join(bin, 'node'), join(bin, 'tap'), 'build'], { cwd: projectDir, timeoutMs: 300_000 });
}

function readLock(path) {
  try {
    return JSON.parse(readText(path));
  } catch {
    return undefined;
  }
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
