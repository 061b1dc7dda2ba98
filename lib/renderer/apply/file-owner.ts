import { SwitchmasterError } from '../../errors.ts';
import { runCommand } from './command.ts';
import type { WantedOwnership } from './file.ts';
import { anySignal, type StepSignals, untilInterrupted } from './interruption.ts';

export interface OwnershipSpec {
  readonly destination: string;
  readonly mode?: number | undefined;
  /** A name or a number. */
  readonly owner?: string | number | undefined;
  readonly group?: string | number | undefined;
}

/**
 * Looks up the ids of a user and a group by getent. One that cannot be found is left out and reported: an old file would
 * send clients to the former master.
 */
export function resolveOwnership(
  step: StepSignals & { readonly spec: OwnershipSpec; readonly warn: (warning: string) => void },
): Promise<WantedOwnership> {
  // A killed lookup may take its time to end.
  return untilInterrupted(lookUp(step.spec, { signal: anySignal(step), warn: step.warn }), step.interrupted);
}

async function lookUp(
  spec: OwnershipSpec,
  { signal, warn }: { readonly signal: AbortSignal; readonly warn: (warning: string) => void },
): Promise<WantedOwnership> {
  const find = async (database: 'passwd' | 'group', name: string | number | undefined) => {
    try {
      return await resolveId({ database, name, file: spec.destination, signal });
    } catch (thrown) {
      signal.throwIfAborted();
      warn(SwitchmasterError.from(thrown).message);
      return undefined;
    }
  };
  return { mode: spec.mode, uid: await find('passwd', spec.owner), gid: await find('group', spec.group) };
}

async function resolveId(input: {
  database: 'passwd' | 'group';
  name: string | number | undefined;
  /** The answer of getent goes to a file beside it where there is no temporary folder. */
  file: string;
  signal: AbortSignal;
}): Promise<number | undefined> {
  const { database, name, file, signal } = input;
  if (name === undefined || typeof name === 'number') return name;
  if (/^\d+$/.test(name)) return Number(name);
  try {
    const command = { argv: ['getent', database, name], timeoutMs: 5_000 };
    const { output } = await runCommand({ command, file, signal });
    const id = Number(output.split(':')[2]);
    if (Number.isInteger(id)) return id;
  } catch (cause) {
    signal.throwIfAborted();
    const what = database === 'passwd' ? 'user' : 'group';
    const message = `The ${what} "${name}" is not found on this machine: create it, or correct the template's settings.`;
    throw new SwitchmasterError('file-unwritable', message, { cause });
  }
  throw new SwitchmasterError('file-unwritable', `getent ${database} ${name} gave no number.`);
}
