import path from 'node:path';
import { buildBundle } from './bundle.ts';
import { buildDeb } from './deb.ts';

/* `node packaging/main.ts bundle|deb`: builds into dist/ and prints the path. */
const output = path.resolve(import.meta.dirname, '../dist');

const builds: Readonly<Record<string, () => Promise<string>>> = {
  bundle: () => buildBundle(path.join(output, 'switchmaster.mjs')),
  deb: () => buildDeb({ folder: output, compression: 'smallest' }),
};
const build = builds[process.argv[2] ?? ''];
if (build === undefined) throw new Error(`usage: node packaging/main.ts ${Object.keys(builds).join('|')}`);
process.stdout.write(`${path.relative(process.cwd(), await build())}\n`);
