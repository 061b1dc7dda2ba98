import { readFileSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../lib/config/bundled.ts';

/** As package.json has it. */
export const version: string = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')).version;
