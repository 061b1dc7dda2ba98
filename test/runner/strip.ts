import { existsSync, globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { strippedFile } from './stripped-file.mjs';

/** Strips the types of every TypeScript file of the project, for load-stripped.mjs. Lines and columns stay the same. */
export function stripTypes(projectDir: string): void {
  for (const path of globSync('{bench,cmd,demo,lib,test}/**/*.ts', { cwd: projectDir })) {
    const source = readFileSync(join(projectDir, path), 'utf8');
    const file = strippedFile(source);
    if (existsSync(file)) continue;
    mkdirSync(new URL('.', file), { recursive: true });
    // Other runs may read the same files.
    const unfinished = new URL(`${file.href}.${process.pid}`);
    writeFileSync(unfinished, stripTypeScriptTypes(source));
    renameSync(unfinished, file);
  }
}
