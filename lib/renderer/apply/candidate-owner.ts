import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { newFileMode } from '../../model/template-spec.ts';
import { statOpened } from '../../regular-file.ts';
import { closeLater, type PresentFile, type WantedOwnership } from './file.ts';

/** What a candidate gets. Where an id is undefined, it keeps what the system gives it. */
interface CandidateOwnership {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly mode: number;
}

/** The configured permissions, or those of the present file. */
export function wantedFor(input: {
  readonly ownership: WantedOwnership;
  readonly present: PresentFile | undefined;
}): CandidateOwnership {
  const { ownership, present } = input;
  return {
    uid: ownership.uid ?? present?.uid,
    gid: ownership.gid ?? present?.gid,
    mode: ownership.mode ?? present?.mode ?? newFileMode,
  };
}

const privateMode = 0o600;
const { O_WRONLY, O_CREAT, O_EXCL } = constants;

/**
 * Creates an empty file. Until it has its owner, nobody else may read it. One whose owner is the daemon has its mode from the beginning, if
 * its group may do what others may: each call that is not needed saves a turn of the event loop.
 */
export async function openNew(
  path: string,
  wanted: CandidateOwnership,
): Promise<{ readonly handle: FileHandle; readonly info: Stats }> {
  const firstMode = firstModeOf(wanted);
  const handle = await open(path, O_WRONLY | O_CREAT | O_EXCL, firstMode);
  try {
    const info = await statOpened(handle);
    // The folder gave it another group. A file system without modes refuses this, and the file is written anyway.
    if (firstMode !== privateMode && !isGiven(info, wanted)) await handle.chmod(privateMode).catch(() => undefined);
    return { handle, info };
  } catch (thrown) {
    closeLater(handle);
    throw thrown;
  }
}

/** The folder or the mount may give a new file another group than the daemon's, and who opens it then keeps it open. */
function firstModeOf({ uid, gid, mode }: CandidateOwnership): number {
  const isOwn = isId(uid, process.geteuid) && isId(gid, process.getegid);
  const isGroupLikeOthers = ((mode >> 3) & 0o7) === (mode & 0o7);
  return isOwn && isGroupLikeOthers && mode <= 0o777 ? mode : privateMode;
}

function isId(wanted: number | undefined, own: (() => number) | undefined): boolean {
  return wanted === undefined || wanted === own?.();
}

function isGiven({ uid, gid }: Stats, wanted: CandidateOwnership): boolean {
  return (wanted.uid ?? uid) === uid && (wanted.gid ?? gid) === gid;
}

/**
 * Gives a candidate its owner and mode. A daemon without root may not give files away: then the file has the owner that is
 * possible, because an old file would send clients to the former master. Returns what the system refused. `info`: of the new file.
 */
export async function giveOwnership(
  handle: FileHandle,
  input: { readonly destination: string; readonly wanted: CandidateOwnership; readonly info: Stats },
): Promise<string | undefined> {
  const { destination, info } = input;
  const { uid, gid, mode } = input.wanted;
  const owned = isGiven(info, input.wanted) ? undefined : await giveAway(handle, { uid, gid });
  if (owned === undefined && (info.mode & 0o7777) === mode) return undefined;
  // After chown, which clears set-id bits. They must not be those of another owner.
  const moded = await handle.chmod(owned === 'refused' ? mode & 0o777 : mode).catch(() => 'refused' as const);
  if (owned !== 'refused' && moded !== 'refused') return undefined;
  const now = await handle.stat();
  const has = `It has ${now.uid}:${now.gid} and mode ${(now.mode & 0o7777).toString(8)}`;
  const wanted = `${uid ?? now.uid}:${gid ?? now.gid} and mode ${mode.toString(8)}`;
  return `${destination} cannot have the owner ${wanted}. ${has}. Run the daemon as root, or give the file to its user.`;
}

async function giveAway(
  handle: FileHandle,
  { uid = -1, gid = -1 }: { readonly uid: number | undefined; readonly gid: number | undefined },
): Promise<'given' | 'refused'> {
  try {
    await handle.chown(uid, gid);
    return 'given';
  } catch {
    if (gid !== -1) await handle.chown(-1, gid).catch(() => undefined);
    return 'refused';
  }
}
