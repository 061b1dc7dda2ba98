import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { followLinks, type PresentFile } from './file.ts';

/*
 * Two files that stand beside a destination (the good copy beside what it links to), for a daemon that starts again must know them:
 *
 *   .haproxy.cfg.switchmaster.json   the text that took effect last (its digest, servers and masters)
 *   .haproxy.cfg.switchmaster.good   that text itself, to go back to
 */

export interface RenderState {
  readonly digest: string;
  readonly members: readonly string[];
  readonly masters: Readonly<Record<string, string>>;
  /** The text that was rolled back to that one, and why: it is not tried again. */
  readonly refused?: { readonly digest: string; readonly reason: string };
  /** Consul's index of each thing that was read, by query id. */
  readonly indexes: Readonly<Record<string, string>>;
}

function renderStatePath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.json`);
}

export function goodCopyPath(destination: string): string {
  return join(dirname(destination), `.${basename(destination)}.switchmaster.good`);
}

/** undefined where there is none, or none that can be read: it is a memory, not a truth. */
export async function readRenderState(destination: string): Promise<RenderState | undefined> {
  try {
    const json: unknown = JSON.parse(await readFile(renderStatePath(destination), 'utf8'));
    return isRenderState(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

export async function writeRenderState(destination: string, renderState: RenderState): Promise<void> {
  const path = renderStatePath(destination);
  try {
    await writeFile(`${path}.new`, `${JSON.stringify(renderState)}\n`, { mode: 0o600 });
    await rename(`${path}.new`, path);
  } catch (cause) {
    const message = `${path}, where the last good state is remembered, cannot be written.`;
    throw new SwitchmasterError('file-unwritable', message, { cause });
  }
}

/** Keeps the destination as it is now under the name of the good copy; a hard link, so it costs no copying. */
export async function keepGoodCopy(destination: string, present: PresentFile): Promise<void> {
  const target = present.path;
  const path = goodCopyPath(target);
  try {
    await link(target, `${path}.new`).catch(async () => {
      // One that a daemon before this one has left.
      await unlink(`${path}.new`).catch(() => undefined);
      await link(target, `${path}.new`);
    });
    await rename(`${path}.new`, path);
    // Renaming one link of a file to another does nothing, by POSIX: the new name stays.
    await unlink(`${path}.new`).catch(() => undefined);
  } catch (cause) {
    const message = `The last good ${destination} cannot be kept as ${path}.`;
    throw new SwitchmasterError('file-unwritable', message, { cause });
  }
}

export async function readGoodCopy(destination: string): Promise<Buffer | undefined> {
  return followLinks(destination)
    .then((target) => readFile(goodCopyPath(target)))
    .catch(() => undefined);
}

function isRenderState(json: unknown): json is RenderState {
  if (typeof json !== 'object' || json === null) return false;
  const { digest, members, masters, indexes, refused } = json as Record<string, unknown>;
  return (
    (refused === undefined ||
      (isTextMap(refused) && 'digest' in (refused as object) && 'reason' in (refused as object))) &&
    typeof digest === 'string' &&
    Array.isArray(members) &&
    members.every((member) => typeof member === 'string') &&
    isTextMap(masters) &&
    isTextMap(indexes)
  );
}

function isTextMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
