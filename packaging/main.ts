import path from 'node:path';
import { buildBundle } from './bundle.ts';

/* `node packaging/main.ts bundle`: builds into dist/. */
const output = path.resolve(import.meta.dirname, '../dist');

await buildBundle(path.join(output, 'switchmaster.mjs'));
