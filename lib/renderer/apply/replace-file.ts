import { SwitchmasterError } from '../../errors.ts';
import type { GoodRendering, RenderMemory } from '../plan/rendering.ts';
import type { Urgency } from '../plan/urgency.ts';
import {
  type Candidate,
  discardCandidate,
  fixSwap,
  type PresentFile,
  placeNew,
  swapIn,
  writeCandidate,
} from './file.ts';
import { resolveOwnership } from './file-owner.ts';
import { chooseRoute, type Route, runCheck, type Step, takeOver } from './reload.ts';
import { keepGoodCopy, readGoodCopy } from './state-file.ts';
import { verifyConsumer } from './verify.ts';

/**
 * What a transaction came to, for the memory of its template.
 *
 * `rolled-back`: the last good text is in place again and works. `owed`: the new text is in place, its consumer does not
 * work with it, and neither does it with the old one, or there is none to go back to.
 */
export type Transaction =
  | { readonly kind: 'done' }
  | { readonly kind: 'rolled-back'; readonly error: SwitchmasterError }
  | { readonly kind: 'owed'; readonly error: SwitchmasterError };

export interface Change {
  readonly rendering: GoodRendering;
  readonly urgency: Urgency;
  readonly memory: RenderMemory;
  /** The destination as it is. */
  readonly present: PresentFile | undefined;
  /** Called when the destination has the new bytes: from then on a take-over is owed. */
  readonly onSwapped: () => void;
}

/**
 * Candidate, check, swap, reload, verify, or back. Throws for what happens before the swap, when nothing has changed
 * yet; after it, failures are what the transaction came to.
 */
export async function replaceFile(step: Step, change: Change): Promise<Transaction> {
  const { rendering, present } = change;
  // A file whose take-over is owed is not what the consumer runs with.
  const settled = present !== undefined && change.memory.owed === undefined;
  const route = chooseRoute(step.spec, settled ? present.bytes.toString() : undefined, rendering.text);
  const keep = settled ? 'good-copy' : 'nothing';
  const swapped = await putInPlace(step, { bytes: Buffer.from(rendering.text), route, keep, present });
  change.onSwapped();
  try {
    await useFile(step, { rendering, route, swapped });
    return { kind: 'done' };
  } catch (thrown) {
    return rollBack(step, { change, error: failureOf(thrown) });
  }
}

/** Reloads and verifies a file that is in place already. */
export async function finishTakeOver(step: Step, rendering: GoodRendering): Promise<Transaction> {
  const route = chooseRoute(step.spec, undefined, rendering.text);
  try {
    await useFile(step, { rendering, route });
    return { kind: 'done' };
  } catch (thrown) {
    return { kind: 'owed', error: failureOf(thrown) };
  }
}

async function useFile(
  step: Step,
  input: { rendering: Pick<GoodRendering, 'masters'>; route: Route; swapped?: Candidate },
): Promise<void> {
  const { spec, signal, clock } = step;
  const { swapped } = input;
  // The consumer reads the new file by its name already; what keeps it there after a crash may go on beside.
  await Promise.all([takeOver(step, input.route), swapped === undefined ? undefined : fixSwap(swapped)]);
  if (spec.verify === undefined) return;
  const { masters } = input.rendering;
  await verifyConsumer({ verify: spec.verify, masters, file: spec.destination, signal });
  clock.reached('verified');
}

async function putInPlace(
  step: Step,
  input: { bytes: Buffer; route: Route; keep: 'good-copy' | 'nothing'; present: PresentFile | undefined },
): Promise<Candidate> {
  const { spec, clock, signal } = step;
  const { bytes, present } = input;
  const { destination } = spec;
  const wish = await resolveOwnership(spec, signal);
  // Good as long as nothing has taken its place, whatever comes of the candidate.
  const keeps = input.keep === 'good-copy' && canGoBack(step) && present !== undefined;
  const keeping = keeps ? keepGoodCopy(destination, present) : undefined;
  const [written, kept] = await Promise.allSettled([
    writeCandidate({ destination, bytes, wish, present, signal }),
    keeping,
  ]);
  if (written.status === 'rejected') throw written.reason;
  const candidate = written.value;
  try {
    if (kept.status === 'rejected') throw kept.reason;
    if (input.route.kind === 'reload') await runCheck(step, candidate.path);
  } catch (thrown) {
    await discardCandidate(candidate);
    throw thrown;
  }
  await (spec.upkeep === 'seed' ? placeNew(candidate) : swapIn(candidate));
  clock.reached('swapped');
  return candidate;
}

/**
 * The last good file returns, is reloaded and verified. Never across a change of master: the old file would send clients
 * to a master that is none any more, so then the new one stays and its take-over is owed.
 */
async function rollBack(step: Step, input: { change: Change; error: SwitchmasterError }): Promise<Transaction> {
  const { change, error } = input;
  const good = change.urgency === 'master-change' ? undefined : await readGoodCopy(step.spec.destination);
  if (good === undefined || !canGoBack(step)) return { kind: 'owed', error };
  const unchecked: Route = { kind: 'runtime', plan: { kind: 'runtime', changes: [], expected: [] } };
  const place = { route: unchecked, keep: 'nothing', present: change.present } as const;
  const swapped = await putInPlace(step, { ...place, bytes: good });
  try {
    const masters = change.memory.proven?.masters ?? change.rendering.masters;
    await useFile(step, { rendering: { masters }, route: chooseRoute(step.spec, undefined, good.toString()), swapped });
  } catch (thrown) {
    const again = failureOf(thrown);
    await fixSwap(await putInPlace(step, { ...place, bytes: Buffer.from(change.rendering.text) }));
    const message = `${error.message} The last good file does not work either, so the new one is in place: ${again.message}`;
    return {
      kind: 'owed',
      error: new SwitchmasterError(error.code, message, { cause: error, details: error.details }),
    };
  }
  const message = `${error.message} The last good file is in place again and works.`;
  return {
    kind: 'rolled-back',
    error: new SwitchmasterError(error.code, message, {
      cause: error,
      details: { ...error.details, rolledBack: true },
    }),
  };
}

/** Without a consumer there is nothing that could refuse a file, and a seed has none before it. */
function canGoBack({ spec }: Step): boolean {
  return spec.upkeep !== 'seed' && (spec.reload !== undefined || spec.verify !== undefined);
}

/** Stopping is no failure of the file: it passes through. */
function failureOf(thrown: unknown): SwitchmasterError {
  const error = SwitchmasterError.from(thrown);
  if (error.code === 'stopping') throw error;
  return error;
}
