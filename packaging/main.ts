import path from 'node:path';
import { buildBin } from './bin.ts';
import { buildBundle } from './bundle.ts';
import { buildDeb } from './deb.ts';

/* `node packaging/main.ts bundle|command|deb`: builds into dist/ and prints the path. */
const output = path.resolve(import.meta.dirname, '../dist');

const bundle = () => buildBundle(path.join(output, 'switchmaster.mjs'));

/** The npm package's command: the bundle, and what starts it. */
async function buildCommand(): Promise<string> {
  await bundle();
  return buildBin(path.join(output, 'bin.cjs'));
}

const builds: Readonly<Record<string, () => Promise<string>>> = {
  bundle,
  command: buildCommand,
  deb: () => buildDeb({ folder: output, compression: 'smallest' }),
};
const build = builds[process.argv[2] ?? ''];
if (build === undefined) throw new Error(`usage: node packaging/main.ts ${Object.keys(builds).join('|')}`);
process.stdout.write(`${path.relative(process.cwd(), await build())}\n`);
