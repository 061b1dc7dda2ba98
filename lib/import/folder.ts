import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SwitchmasterError } from '../errors.ts';
import type { ResultFile } from './output.ts';

/** Writes a new folder, all of it or nothing. It replaces an empty one only. Throws `file-unwritable`. */
export async function writeFolder(folder: string, files: readonly ResultFile[]): Promise<void> {
  const target = resolve(folder);
  const staged = join(dirname(target), `.${basename(target)}-${randomUUID()}`);
  try {
    await mkdir(staged, { recursive: true });
    for (const { name, text } of files) await writeFile(join(staged, name), text, { flag: 'wx' });
    await rename(staged, target);
  } catch (thrown) {
    await rm(staged, { recursive: true, force: true });
    throw new SwitchmasterError('file-unwritable', describe(folder, thrown as NodeJS.ErrnoException), {
      cause: thrown,
    });
  }
}

function describe(folder: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOTEMPTY' || code === 'EEXIST') return `${folder} is not empty: give a new folder after --out.`;
  if (code === 'ENOTDIR') return `${folder} is not a folder: give a new folder after --out.`;
  return `${folder} cannot be written: ${message}.`;
}
