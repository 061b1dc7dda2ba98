import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';

/** The folder of package.json, both for the sources and for a build. */
export const packageFolder = findPackageFolder();

/** The names of the templates that come with switchmaster, sorted. */
export async function bundledTemplates(): Promise<readonly string[]> {
  const names = await readdir(path.join(packageFolder, 'templates'));
  return names.filter((name) => name.endsWith('.hbs')).sort();
}

/** The absolute path of a bundled template; undefined if none has this name. A path is never a bundled name. */
export async function findBundled(name: string): Promise<string | undefined> {
  return (await bundledTemplates()).includes(name) ? path.join(packageFolder, 'templates', name) : undefined;
}

/** Whether a path is that of one of these bundled templates. */
export function isBundled(source: string, names: readonly string[]): boolean {
  return names.some((name) => source === path.join(packageFolder, 'templates', name));
}

function findPackageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder)
    folder = path.dirname(folder);
  return folder;
}
