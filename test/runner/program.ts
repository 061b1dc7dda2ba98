import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
const inputs = '{cmd,lib,packaging,templates}/**/*.{ts,js,html,css,svg,hbs}';

/**
 * Builds the single-file bundle of the present sources of a checkout, where it is not built yet, and answers its path. Tests and
 * benches start it in place of `cmd/switchmaster.ts`, as the packages do: it takes half of the CPU time and less memory, because
 * Node.js need not find and read a thousand modules.
 */
export async function buildProgram(checkout: string = projectDir): Promise<string> {
  const hash = createHash('sha1');
  for (const file of [...globSync(inputs, { cwd: checkout }).sort(), 'package.json', 'package-lock.json'])
    hash.update(`${file}\0`).update(readFileSync(join(checkout, file)));
  const program = join(checkout, 'node_modules/.cache/bundle', hash.digest('hex'), 'switchmaster.mjs');
  if (existsSync(program)) return program;
  mkdirSync(dirname(program), { recursive: true });
  const { buildBundle } = await importBuilder(checkout);
  // Other runs may start the same file.
  const unfinished = await buildBundle(`${program}.${process.pid}`);
  renameSync(unfinished, program);
  return program;
}

function importBuilder(checkout: string): Promise<typeof import('../../packaging/bundle.ts')> {
  return import(pathToFileURL(join(checkout, 'packaging/bundle.ts')).href);
}
