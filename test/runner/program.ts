import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildBundle } from '../../packaging/bundle.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
const inputs = '{cmd,lib,packaging,templates}/**/*.{ts,js,html,css,svg,hbs}';

/**
 * Builds the single-file bundle of the present sources, where it is not built yet, and answers its path. Tests start it in place
 * of `cmd/switchmaster.ts`: it takes half of the CPU time, because Node.js need not find and read a thousand modules.
 */
export async function buildProgram(): Promise<string> {
  const hash = createHash('sha1');
  for (const file of [...globSync(inputs, { cwd: projectDir }).sort(), 'package.json', 'package-lock.json'])
    hash.update(`${file}\0`).update(readFileSync(join(projectDir, file)));
  const program = join(projectDir, 'node_modules/.cache/bundle', hash.digest('hex'), 'switchmaster.mjs');
  if (existsSync(program)) return program;
  mkdirSync(dirname(program), { recursive: true });
  // Other runs may start the same file.
  const unfinished = await buildBundle(`${program}.${process.pid}`);
  renameSync(unfinished, program);
  return program;
}
