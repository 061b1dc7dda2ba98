import { type FileHandle, open } from 'node:fs/promises';

/** The object with the methods of all handles of files, for a test that watches their calls. `folder`: any. */
export async function handleMethods(folder: string): Promise<FileHandle> {
  const handle = await open(folder);
  await handle.close();
  return Object.getPrototypeOf(handle);
}
