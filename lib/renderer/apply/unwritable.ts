import { SwitchmasterError } from '../../errors.ts';

const mountPoint =
  'it is a mount point, such as a single file mounted into a container; mount its folder instead, or set inPlace: true';

/** The code of a file of another user in a folder with the sticky bit, which the system reports as EPERM. */
export const sticky = 'STICKY';

const reasons: Record<string, string> = {
  ENOENT: 'its folder does not exist; create it, or set createDestDirs: true',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'permission denied; let the daemon write to the folder',
  EPERM:
    'not permitted: it or its folder is immutable (see lsattr, run chattr -i), the folder is sticky and the file belongs to another user, or owner and mode may not be changed',
  [sticky]:
    'its folder is sticky, so only the owner of the file may replace it; give the file to the user of the daemon, or run chmod -t for the folder',
  EROFS: 'the file system is read-only; mount it with write access',
  ELOOP: 'a link took its place meanwhile',
  ENOSPC: 'the disk is full; free some space on it',
  EBUSY: mountPoint,
  EXDEV: mountPoint,
  EDQUOT: 'the disk quota is used up; free some space, or raise it',
};

/** What cannot be done with a file, and why, as `file-unwritable`. An error of the project stays as it is. */
export function unwritable(path: string, what: string, thrown: unknown): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  const reason = reasons[code] ?? message;
  const options = { cause: thrown, details: { path, errno: code } };
  return new SwitchmasterError('file-unwritable', `${path} cannot ${what}: ${reason}.`, options);
}
