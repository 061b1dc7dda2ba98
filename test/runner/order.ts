import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const startsServers = /from '(\.\.\/)+sandbox\/(?!condition)/;
const ownLimit = /\bt\.setTimeout\((.*)\)/;

/** The files in the order in which they run: what may take longest comes first, and what is short fills the end of the run. */
export function orderFiles(files: readonly string[], { projectDir }: { readonly projectDir: string }): string[] {
  const limits = new Map(files.map((file) => [file, readLimitMs(readFileSync(join(projectDir, file), 'utf8'))]));
  return files.toSorted((a, b) => (limits.get(b) ?? 0) - (limits.get(a) ?? 0));
}

/** How long the file may take by its own account. Default: 1 if it starts servers, otherwise 0. */
function readLimitMs(source: string): number {
  const [, limit = ''] = ownLimit.exec(source) ?? [];
  const numbers = limit.match(/[\d_]+/g) ?? [];
  return Math.max(startsServers.test(source) ? 1 : 0, ...numbers.map((number) => Number(number.replaceAll('_', ''))));
}
