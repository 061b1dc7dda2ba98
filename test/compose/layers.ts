import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';

/** Folders that lie over each other (overlayfs), the lowest one first. */
export interface Layers {
  readonly folders: readonly string[];
  /** Changes with everything that the layers were made from. */
  readonly key: string;
}

/**
 * Adds a layer, which `fill` makes in the mounted folder, or takes it from the cache if one was made from the same things.
 * This process must have a mount namespace of its own.
 */
export async function addLayer(
  { folders, key: lowerKey }: Layers,
  { cacheDir, madeFrom, fill }: { cacheDir: string; madeFrom: string; fill: (root: string) => Promise<unknown> },
): Promise<Layers> {
  const key = digest(`${lowerKey}\n${madeFrom}`);
  const folder = join(cacheDir, key);
  if (!existsSync(folder)) {
    const work = await mkdtemp(join(cacheDir, 'making-'));
    const [root = '', upper = '', scratch = ''] = ['root', 'upper', 'work'].map((name) => join(work, name));
    await Promise.all([root, upper, scratch].map((each) => mkdir(each)));
    await mountOverlay({ root, lower: folders, upper, scratch });
    try {
      await fill(root);
    } finally {
      await run(['umount', '--recursive', root]);
    }
    await rename(upper, folder);
    await rm(work, { recursive: true });
  }
  return { folders: [...folders, folder], key };
}

async function mountOverlay({
  root,
  lower,
  upper,
  scratch,
}: {
  readonly root: string;
  readonly lower: readonly string[];
  readonly upper: string;
  readonly scratch: string;
}): Promise<void> {
  const options = `lowerdir=${lower.toReversed().join(':')},upperdir=${upper},workdir=${scratch}`;
  await run(['mount', '-t', 'overlay', 'overlay', '-o', options, root]);
}

/** Mounts the layers for reading only while `use` runs. */
export async function withLayers<T>({ folders }: Layers, use: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'switchmaster-layers-'));
  // An overlay without a layer to write needs two folders.
  await run(['mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${folders.toReversed().join(':')}`, root]);
  try {
    return await use(root);
  } finally {
    await run(['umount', root]);
    await rm(root, { recursive: true });
  }
}

export function digest(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20);
}

/** Of the names, modes and contents of a file or of all files in a folder. */
export async function digestPath(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isDirectory()) return digest(`${found.mode}${digest(await readFile(path))}`);
  const entries = (await readdir(path)).toSorted();
  const digests = await Promise.all(entries.map(async (entry) => `${entry} ${await digestPath(join(path, entry))}`));
  return digest(digests.join('\n'));
}
