import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { listEmbedded, packageFolder } from '../package-files.ts';

/** The names of the templates that come with switchmaster, sorted. */
export async function bundledTemplates(): Promise<readonly string[]> {
  const names = listEmbedded('templates') ?? (await readdir(path.join(packageFolder, 'templates')));
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
