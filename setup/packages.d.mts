export type DebianProgram = { program: string; package: string; service?: string; module?: string };
export const debianPrograms: DebianProgram[];
export function missingPrograms(programs?: readonly DebianProgram[], dirs?: readonly string[]): DebianProgram[];
export function installPackages(
  missing: readonly DebianProgram[],
  on?: { aptGet: string | undefined; user: 'root' | 'other' },
): Promise<void>;
