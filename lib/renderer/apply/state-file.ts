import type { Stats } from 'node:fs';
import { link, lstat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { withinDeadline, writeTimeoutMs } from '../../file-system.ts';
import { anchored, followLinks } from '../../links.ts';
import { readRegularBytes } from '../../regular-file.ts';
import { replaceBy } from '../../replaced-file.ts';
import type { PresentFile } from './file.ts';
import { InOrder } from './in-order.ts';
import { readOwnJson, refuseForeign, writeOwnJson } from './own-file.ts';
import { goodCopyPath, renderStatePath } from './side-files.ts';

/*
 * Two files beside a destination, needed after a restart of the daemon. Where the destination is a symbolic link, the good
 * copy is beside the file that it links to.
 *
 *   .haproxy.cfg.switchmaster.json   about the text that took effect last: digest, servers, masters
 *   .haproxy.cfg.switchmaster.good   that text, for a rollback
 *
 * Others may write to the folder. So both are written to new files, and read only if nobody else can have put them there.
 */

/** A larger file is not one of these. */
const maxBytes = 256 * 1024 * 1024;

export interface RenderState {
  readonly digest: string;
  readonly members: readonly string[];
  readonly masters: Readonly<Record<string, string>>;
  /** The text that was rolled back since, and why. It is not tried again. */
  readonly refused?: { readonly digest: string; readonly reason: string };
  /** Ids of the queries for lists in Consul that were not empty. Files of earlier versions lack them. */
  readonly filled?: readonly string[];
  /** The records that the template read, as texts. Files of earlier versions lack them. */
  readonly records?: readonly string[];
  /** Consul's index of each thing that the template read, by query id. */
  readonly indexes: Readonly<Record<string, string>>;
}

/** undefined when the file does not exist or is not valid. `any`: for a command that another user runs, which only shows it. */
export async function readRenderState(
  destination: string,
  owners: 'trusted' | 'any' = 'trusted',
): Promise<RenderState | undefined> {
  const json = await readOwnJson(renderStatePath(destination), { maxBytes, owners });
  return isRenderState(json) ? json : undefined;
}

/** Whether a daemon has written a state beside the destination, also one that cannot be read any more. */
export async function hasRenderState(destination: string, owners: 'trusted' | 'any' = 'trusted'): Promise<boolean> {
  const path = renderStatePath(destination);
  const stats = await withinDeadline(path, () => lstat(path)).catch(() => undefined);
  return stats?.isFile() === true && (owners === 'any' || refuseForeign(stats) === undefined);
}

export async function writeRenderState(destination: string, renderState: RenderState): Promise<void> {
  const path = renderStatePath(destination);
  try {
    await writeOwnJson(path, renderState);
  } catch (cause) {
    const message = `Cannot write ${path}, which keeps the last good state for a restart: ${(cause as Error).message}`;
    throw new SwitchmasterError('file-unwritable', message, { cause });
  }
}

/**
 * Keeps the current destination as the good copy: by a hard link, or by a copy where the file system or
 * `fs.protected_hardlinks` refuses links, or as `how` says. Throws `file-unwritable`, and leaves no older copy, which a rollback must not use.
 */
export async function keepGoodCopy(
  destination: string,
  present: PresentFile,
  how: 'linked' | 'copied' | 'flushed' = 'linked',
): Promise<void> {
  const path = goodCopyPath(present.path);
  try {
    const replace = () => anchored(path, (file) => replaceGoodCopy(file, present, how));
    await keeping.run(path, () => withinDeadline(path, replace, { timeoutMs: writeTimeoutMs }));
  } catch (cause) {
    const message = `Cannot keep the last good ${destination} as ${path}.`;
    throw new SwitchmasterError('file-unwritable', message, { cause });
  }
}

/** By file. */
const keeping = new InOrder();

async function replaceGoodCopy(
  path: string,
  present: PresentFile,
  how: 'linked' | 'copied' | 'flushed',
): Promise<void> {
  const original = join(dirname(path), basename(present.path));
  try {
    await replaceBy({ file: path }, async (candidate) => {
      const copy = () => writeFile(candidate, present.bytes, { mode: 0o600, flag: 'wx', flush: how === 'flushed' });
      await (how === 'linked' ? link(original, candidate).catch(copy) : copy());
      return 'linked';
    });
  } catch (thrown) {
    await unlink(path).catch(() => undefined);
    throw thrown;
  }
}

export async function readGoodCopy(destination: string): Promise<Buffer | undefined> {
  try {
    const find = async () => {
      const target = await followLinks(destination);
      return { target, present: await lstat(target).catch(() => undefined) };
    };
    const { target, present } = await withinDeadline(destination, find);
    // A third name of both is that of another file, to which others linked them.
    const isSame = (stats: Stats) => stats.ino === present?.ino && stats.nlink <= 2;
    const isCopyOf = (stats: Stats) => stats.uid === present?.uid && (stats.nlink === 1 || isSame(stats));
    const acceptCopy = (stats: Stats) => (isCopyOf(stats) ? undefined : refuseForeign(stats));
    return await readRegularBytes(goodCopyPath(target), { maxBytes, accept: acceptCopy });
  } catch {
    return undefined;
  }
}

function isRenderState(json: unknown): json is RenderState {
  if (typeof json !== 'object' || json === null) return false;
  const { digest, members, masters, indexes, refused, records = [], filled = [] } = json as Record<string, unknown>;
  return (
    (refused === undefined ||
      (isTextMap(refused) && 'digest' in (refused as object) && 'reason' in (refused as object))) &&
    typeof digest === 'string' &&
    isTextList(members) &&
    isTextList(records) &&
    isTextList(filled) &&
    isTextMap(masters) &&
    isTextMap(indexes)
  );
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string');
}

function isTextMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
