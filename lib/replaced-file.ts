import { rename, unlink, writeFile } from 'node:fs/promises';

interface Names {
  readonly file: string;
  readonly candidate?: string;
}

/**
 * Puts a new file in the place of another. `make` writes it under another name in the same folder, by default FILE.new. The caller
 * runs this within one call of file-system.ts.
 */
export async function replaceBy(
  { file, candidate = `${file}.new` }: Names,
  make: (candidate: string) => Promise<void>,
): Promise<void> {
  try {
    // A former daemon may have left it. It must not be a link to somewhere else either.
    await unlink(candidate).catch(() => undefined);
    await make(candidate);
    await rename(candidate, file);
  } finally {
    // By POSIX, renaming a link to another link of the same file does nothing, so the new name stays.
    await unlink(candidate).catch(() => undefined);
  }
}

/** The same with a text. */
export function replaceByText({ text, mode, ...names }: Names & { readonly text: string; readonly mode: number }) {
  return replaceBy(names, (candidate) => writeFile(candidate, text, { mode, flag: 'wx' }));
}
