import { constants } from 'node:fs';
import { access, lstat, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SwitchmasterError } from '../errors.ts';
import { withinDeadline } from '../file-system.ts';
import { anchored, followLinks } from '../links.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { isMountPoint } from '../mounts.ts';
import { candidatePath } from './apply/candidate.ts';
import { readDestination } from './apply/file.ts';
import { type OwnershipSpec, resolveOwnership } from './apply/file-owner.ts';
import { examineFolders } from './apply/folders.ts';
import { sticky, unwritable } from './apply/unwritable.ts';

/** Why the destination could not be replaced now, as one sentence with the fix; undefined where it could. */
export async function examineDestination(
  spec: Pick<TemplateSpec, 'destination' | 'placement' | 'folders'>,
): Promise<string | undefined> {
  const { destination, placement, folders } = spec;
  try {
    const present = await readDestination(destination);
    if (folders === 'create' && present === undefined && (await examineFolders(destination)) === 'missing')
      return undefined;
    const examine = async () => {
      const target = present?.path ?? (await followLinks(destination));
      if (placement === 'in-place' && present !== undefined) await tryAccess(target, 'any-error');
      else await examineReplacement(target);
    };
    await withinDeadline(destination, examine);
    return undefined;
  } catch (thrown) {
    return unwritable(destination, 'be replaced', thrown).message;
  }
}

/** Sentences about an owner or a group that this machine does not know. */
export async function describeOwners(
  spec: OwnershipSpec,
): Promise<readonly { readonly key: 'owner' | 'group'; readonly message: string }[]> {
  const found: { readonly key: 'owner' | 'group'; readonly message: string }[] = [];
  const { signal } = new AbortController();
  for (const key of ['owner', 'group'] as const) {
    const one = { destination: spec.destination, [key]: spec[key] };
    const warn = (message: string) => found.push({ key, message: `cannot be set: ${message}` });
    await resolveOwnership({ spec: one, signal, interrupted: signal, warn });
  }
  return found;
}

async function examineReplacement(target: string): Promise<void> {
  if (isMountPoint(target)) throw refusal(target, 'EBUSY');
  const probe = candidatePath(target);
  try {
    await anchored(probe, async (path) => (await open(path, 'wx', 0o600)).close());
  } catch (thrown) {
    throw unwritable(target, 'be replaced', thrown);
  }
  await anchored(probe, unlink).catch(() => undefined);
  await tryAccess(target, 'immutable-only');
  await examineSticky(target);
}

/** A file that root may not write is immutable. Others may replace a file that they may not write. */
async function tryAccess(target: string, wanted: 'any-error' | 'immutable-only'): Promise<void> {
  try {
    await access(target, constants.W_OK);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT' || (wanted === 'immutable-only' && code !== 'EPERM')) return;
    throw unwritable(target, wanted === 'any-error' ? 'be written' : 'be replaced', thrown);
  }
}

/** In a folder such as /tmp nobody but root replaces the file of somebody else. */
async function examineSticky(target: string): Promise<void> {
  const uid = process.getuid?.() ?? 0;
  // One after the other, because the whole examination has one thread (file-system.ts).
  const folder = await lstat(dirname(target)).catch(() => undefined);
  const file = await lstat(target).catch(() => undefined);
  if (uid === 0 || folder === undefined || file === undefined || (folder.mode & 0o1000) === 0) return;
  if (folder.uid !== uid && file.uid !== uid) throw refusal(target, sticky);
}

function refusal(target: string, code: string): SwitchmasterError {
  return unwritable(target, 'be replaced', Object.assign(new Error(code), { code }));
}
