import { SwitchmasterError } from '../../errors.ts';

const mountPoint =
  'it is a mount point, such as a single file mounted into a container; mount its folder instead, or set inPlace: true';

const reasons: Record<string, string> = {
  ENOENT: 'its folder does not exist; create it',
  ENOTDIR: 'a part of its path is a file',
  EACCES: 'permission denied; let the daemon write to the folder',
  EPERM:
    'not permitted: it or its folder is immutable (see lsattr, run chattr -i), or owner and mode may not be changed',
  EROFS: 'the file system is read-only; mount it with write access',
  ELOOP: 'a link took its place meanwhile',
  ENOSPC: 'the disk is full',
  EBUSY: mountPoint,
  EXDEV: mountPoint,
  EDQUOT: 'the disk quota is used up',
};

/** What cannot be done with a file, and why, as `file-unwritable`. An error of the project stays as it is. */
export function unwritable(path: string, what: string, thrown: unknown): SwitchmasterError {
  if (thrown instanceof SwitchmasterError) return thrown;
  const { code = '', message } = thrown as NodeJS.ErrnoException;
  const reason = reasons[code] ?? message;
  const options = { cause: thrown, details: { path, errno: code } };
  return new SwitchmasterError('file-unwritable', `${path} cannot ${what}: ${reason}.`, options);
}
