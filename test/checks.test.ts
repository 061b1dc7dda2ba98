import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const projectDir = fileURLToPath(new URL('..', import.meta.url));

// Fewer garbage collections, in the programs that are written in Go.
const env = { ...process.env, GOGC: '800' };

/** The output of a checking program that fails; empty if it succeeds. */
async function complaints(program: string, args: readonly string[]): Promise<string> {
  const file = `${projectDir}node_modules/.bin/${program}`;
  try {
    await promisify(execFile)(file, args, { cwd: projectDir, timeout: 100_000, maxBuffer: 1e7, env });
    return '';
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}` || String(error);
  }
}

t.setTimeout(240_000);

t.test('the types hold', async (t) => {
  // The config has tsc keep its results for unchanged files. Several threads check many types once each.
  const single = ['--singleThreaded'];
  t.equal(await complaints('tsc', ['--noEmit', ...single]), '');
  t.equal(await complaints('tsc', ['-p', 'lib/http/page', ...single]), '', 'of the live page');
});

t.test('lint and format hold', async (t) => {
  t.equal(await complaints('biome', ['check', '--colors=off', '--diagnostic-level=warn', '.']), '');
});

t.test('no file, export, type or dependency is unused', async (t) => {
  const cache = ['--cache', '--cache-location', 'node_modules/.cache/knip'];
  t.equal(await complaints('knip', ['--no-progress', '--treat-config-hints-as-errors', ...cache]), '');
});
