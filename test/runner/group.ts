import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Test files that run in one process. */
export interface TestGroup {
  /** The file, or the folder of several and how many they are. */
  readonly name: string;
  readonly files: readonly string[];
}

/** Files that start servers or take long have a process of their own, so that they run beside each other. */
const alone = /^test\/(integration|sandbox|http\/page|model-checking|property|cmd|checks|imports)/;
const startsServers = /from '(\.\.\/)+sandbox\/(?!condition)/;

/** The groups in the order in which they run: what starts servers comes first, and what is short fills the end of the run. */
export function groupFiles(files: readonly string[], { projectDir }: { readonly projectDir: string }): TestGroup[] {
  const isShort = (file: string) =>
    !alone.test(file) && !startsServers.test(readFileSync(join(projectDir, file), 'utf8'));
  const shared = Map.groupBy(files.filter(isShort), (file) => file.split('/').slice(0, 2).join('/'));
  return [
    ...files.filter((file) => !isShort(file)).map((file) => ({ name: file, files: [file] })),
    ...[...shared].map(([folder, files]) => ({ name: `${folder} (${files.length})`, files })),
  ];
}
