import path from 'node:path';
import * as z from 'zod';
import { appendLines } from '../append-file.ts';
import { SwitchmasterError } from '../errors.ts';
import { readRegularFile } from '../regular-file.ts';

/** One drill, as a line of the file. */
const drillShape = z.object({
  at: z.string(),
  name: z.string(),
  /** Drills of former versions were planned ones. */
  way: z.enum(['planned', 'kill']).default('planned'),
  /** Milliseconds since the order; null where a stage was not seen. */
  stages: z.record(z.string(), z.number().nullable()),
  withoutWritesMs: z.number(),
});
export type PastDrill = z.output<typeof drillShape>;

/** The folder of past drills: `/var/lib/switchmaster` for root, otherwise by the XDG base directories. */
export function defaultStateFolder(environment: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/lib/switchmaster';
  const { XDG_STATE_HOME: state, HOME: home = '.' } = environment;
  return path.join(
    state !== undefined && path.isAbsolute(state) ? state : path.join(home, '.local/state'),
    'switchmaster',
  );
}

/** A drill has some hundred bytes. */
const maxBytes = 16 * 1024 * 1024;

const file = (folder: string): string => path.join(folder, 'drills.jsonl');

/** The last drills of this master in the same way, oldest first. Skips lines that it cannot read; empty without a file. */
export async function readDrills(
  folder: string,
  wanted: Pick<PastDrill, 'name' | 'way'> & { readonly limit: number },
): Promise<readonly PastDrill[]> {
  const text = await readRegularFile(file(folder), { maxBytes }).catch(() => '');
  const drills = text.split('\n').flatMap((line) => {
    const parsed = drillShape.safeParse(readJson(line));
    return parsed.success && parsed.data.name === wanted.name && parsed.data.way === wanted.way ? [parsed.data] : [];
  });
  return drills.slice(-wanted.limit);
}

/** Throws `file-unwritable`. */
export async function keepDrill(folder: string, drill: PastDrill): Promise<void> {
  try {
    await appendLines(file(folder), `${JSON.stringify(drill)}\n`);
  } catch (cause) {
    throw new SwitchmasterError('file-unwritable', `cannot store the result of the drill in ${file(folder)}`, {
      cause,
    });
  }
}

/** The median of a stage; undefined if no drill saw it. */
export function medianOf(drills: readonly PastDrill[], stage: string): number | undefined {
  const times = drills.map(({ stages }) => stages[stage]).filter((ms) => typeof ms === 'number');
  return times.toSorted((a, b) => a - b)[Math.floor((times.length - 1) / 2)];
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
