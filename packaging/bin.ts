import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');

/** Builds the program that checks the version of Node.js and starts the `switchmaster.mjs` beside it. Answers its path. */
export async function buildBin(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['packaging/bin-entry.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    // No Node.js before 13.2 runs a module without an option. All can parse `import()`.
    format: 'cjs',
    target: 'node10',
    supported: { 'dynamic-import': true },
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  await chmod(file, 0o755);
  return file;
}
