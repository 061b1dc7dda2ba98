import { rename, unlink, writeFile } from 'node:fs/promises';

interface Names {
  readonly file: string;
  readonly candidate?: string;
}

/**
 * Puts a new file in the place of another. `make` writes it under another name in the same folder, by default FILE.new, and must
 * fail with EEXIST if there is a file of that name. The caller runs this within one call of file-system.ts.
 */
export async function replaceBy(
  { file, candidate = `${file}.new` }: Names,
  make: (candidate: string) => Promise<'own' | 'linked'>,
): Promise<void> {
  const remove = () => unlink(candidate).catch(() => undefined);
  try {
    const made = await make(candidate).catch(async (thrown) => {
      if (thrown.code !== 'EEXIST') throw thrown;
      // A former daemon may have left it, or it is a link to somewhere else.
      await remove();
      return make(candidate);
    });
    await rename(candidate, file);
    // By POSIX, renaming a link to another link of the same file does nothing, so the new name stays.
    if (made === 'linked') await remove();
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

/** The same with a text. */
export function replaceByText({ text, mode, ...names }: Names & { readonly text: string; readonly mode: number }) {
  return replaceBy(names, async (candidate) => {
    await writeFile(candidate, text, { mode, flag: 'wx' });
    return 'own';
  });
}
