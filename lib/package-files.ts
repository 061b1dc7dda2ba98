import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The files that come with switchmaster: templates, the live page, package.json. They lie in the folder of the package. The
 * single-file bundle has their texts in itself instead (`packaging/bundle.ts`).
 */

/** Set by the build of the bundle: the texts, by their paths in the package. */
declare const SWITCHMASTER_FILES: Readonly<Record<string, string>> | undefined;

const embedded = typeof SWITCHMASTER_FILES === 'undefined' ? undefined : new Map(Object.entries(SWITCHMASTER_FILES));

/**
 * The folder of package.json, both for the sources and for a build. In the bundle it is the bundle's own path: no file of a user
 * can be below it.
 */
export const packageFolder = embedded === undefined ? findPackageFolder() : fileURLToPath(import.meta.url);

/** `render-process` starts the bundle as a render process. */
export const renderProcessArgument = 'render-process';

/** The program of the bundle, which has every other program in itself; undefined where the package has a file for each. */
export const bundleProgram = embedded === undefined ? undefined : packageFolder;

/** The text of a file in the bundle, by its absolute path; undefined for every other file. */
export function readEmbedded(file: string): string | undefined {
  return embedded?.get(path.relative(packageFolder, file));
}

/** The names of a folder's files in the bundle; undefined where the package is a folder. */
export function listEmbedded(folder: string): readonly string[] | undefined {
  if (embedded === undefined) return undefined;
  const start = `${folder}/`;
  return [...embedded.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));
}

function findPackageFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder)
    folder = path.dirname(folder);
  return folder;
}
