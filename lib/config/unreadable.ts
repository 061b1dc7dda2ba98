import type { Problem } from './problem.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is no folder, or is below a file',
};

/** Why a file cannot be read. An error of the operating system, which has a code, may pass by itself. */
export function describeUnreadable(file: string, thrown: unknown): Pick<Problem, 'message' | 'kind'> {
  const { code, message } = thrown as NodeJS.ErrnoException;
  const reason = reasons[code ?? ''] ?? message;
  return { message: `cannot read ${file}: ${reason}`, ...(code === undefined ? {} : { kind: 'file' }) };
}
