import { existsSync, statSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';
import type { Image } from './image.ts';

/** What a container of an image starts from. */
export interface ImageRoot {
  readonly folders: readonly string[];
  readonly workdir: string;
  readonly user: string;
  readonly command: readonly string[];
  /** Programs that the image has in its PATH, and this machine elsewhere. */
  readonly links: Readonly<Record<string, string>>;
  /** uid and gid of folders that a new volume takes over. */
  readonly owners: Readonly<Record<string, readonly [number, number]>>;
}

/**
 * No published image runs here. The servers are this machine's own, in its own file system below a layer that is the
 * container's, and with the ids that the published images give their users.
 */
export async function localImages(built: Image): Promise<ReadonlyMap<string, ImageRoot>> {
  const local = { folders: ['/'], workdir: '/', user: 'root', command: [] };
  const path = `${process.env.PATH}:${join(import.meta.dirname, '../../.tools/bin')}`;
  const consul = await realpath((await run(['which', 'consul'], { env: { PATH: path } })).trim());
  return new Map([
    ['switchmaster', { ...built, links: {}, owners: {} }],
    ['redis:7.2', { ...local, links: {}, owners: { '/data': [999, 999] } }],
    ['hashicorp/consul:1.20', { ...local, links: { consul }, owners: { '/consul/data': [100, 1000] } }],
  ]);
}

/** The owner of a folder of the image: a new volume that is mounted there gets it. */
export function ownerOf({ folders, owners }: ImageRoot, target: string): readonly [number, number] {
  const named = owners[target];
  if (named !== undefined) return named;
  const folder = folders.toReversed().find((layer) => existsSync(join(layer, target)));
  if (folder === undefined) return [0, 0];
  const { uid, gid } = statSync(join(folder, target));
  return [uid, gid];
}

/** uid and gid of `name`, `uid` or `uid:gid`. */
export async function idsOf({ folders }: ImageRoot, user: string): Promise<readonly [uid: string, gid: string]> {
  const [, uid, gid] = /^(\d+):(\d+)$/.exec(user) ?? [];
  if (uid !== undefined && gid !== undefined) return [uid, gid];
  const layer = folders.toReversed().find((folder) => existsSync(join(folder, 'etc/passwd')));
  const passwd = await readFile(join(layer ?? '/', 'etc/passwd'), 'utf8');
  const [, , found, group] =
    passwd
      .split('\n')
      .find((line) => line.startsWith(`${user}:`))
      ?.split(':') ?? [];
  if (found === undefined || group === undefined) throw new Error(`the image has no user ${user}`);
  return [found, group];
}
