import type { Stats } from 'node:fs';
import { withinDeadline } from '../../file-system.ts';
import { anchored, isTrustedOwner } from '../../links.ts';
import { readRegularFile } from '../../regular-file.ts';
import { replaceByText } from '../../replaced-file.ts';

/*
 * What the renderer keeps beside a destination, as JSON. Others may write to the folder: so it is written to a new file, and read only
 * if nobody else can have put it there.
 */

interface ReadOptions {
  /** Default: that of `readRegularFile`. */
  readonly maxBytes?: number;
  /** `any`: for a command that another user runs, which only shows it. */
  readonly owners?: 'trusted' | 'any';
}

/** undefined where there is no such file, it is no JSON, or somebody else can have put it there. */
export async function readOwnJson(
  path: string,
  { owners = 'trusted', ...options }: ReadOptions = {},
): Promise<unknown> {
  const accept = owners === 'any' ? () => undefined : refuseForeign;
  try {
    return JSON.parse(await readRegularFile(path, { ...options, accept }));
  } catch {
    return undefined;
  }
}

/** Rejects with the error of the file system. */
export async function writeOwnJson(path: string, value: object): Promise<void> {
  const text = `${JSON.stringify(value)}\n`;
  const write = (file: string) => replaceByText({ file, text, mode: 0o600 });
  await withinDeadline(path, () => anchored(path, write));
}

/** A second name may be that of a file which others must not read. */
export function refuseForeign({ uid, nlink }: Stats): string | undefined {
  return isTrustedOwner(uid) && nlink === 1 ? undefined : 'somebody else can have put it there';
}
