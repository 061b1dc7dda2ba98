import { SwitchmasterError } from '../../errors.ts';
import { runCommand } from './command.ts';
import type { WantedOwnership } from './file.ts';

export interface OwnershipSpec {
  readonly mode?: number | undefined;
  /** A name or a number. */
  readonly owner?: string | number | undefined;
  readonly group?: string | number | undefined;
}

/** Looks up the ids of a user and a group by getent. Throws `file-unwritable`. */
export async function resolveOwnership(spec: OwnershipSpec, signal: AbortSignal): Promise<WantedOwnership> {
  return {
    mode: spec.mode,
    uid: await resolveId({ database: 'passwd', name: spec.owner, signal }),
    gid: await resolveId({ database: 'group', name: spec.group, signal }),
  };
}

async function resolveId(input: {
  database: 'passwd' | 'group';
  name: string | number | undefined;
  signal: AbortSignal;
}): Promise<number | undefined> {
  const { database, name, signal } = input;
  if (name === undefined || typeof name === 'number') return name;
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const { output } = await runCommand({ command: { argv: ['getent', database, name], timeoutMs: 5_000 }, signal });
    const id = Number(output.split(':')[2]);
    if (Number.isInteger(id)) return id;
  } catch (cause) {
    signal.throwIfAborted();
    const what = database === 'passwd' ? 'user' : 'group';
    throw new SwitchmasterError('file-unwritable', `There is no ${what} "${name}" on this machine.`, { cause });
  }
  throw new SwitchmasterError('file-unwritable', `getent ${database} ${name} gave no number.`);
}
