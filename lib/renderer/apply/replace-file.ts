import { SwitchmasterError } from '../../errors.ts';
import { digestOf } from '../head.ts';
import type { GoodRendering, OwedStep, RenderMemory } from '../plan/rendering.ts';
import type { Urgency } from '../plan/urgency.ts';
import type { Candidate } from './candidate.ts';
import type { PreparedCommand } from './command.ts';
import type { PresentFile } from './file.ts';
import { anySignal, untilInterrupted, wasInterrupted } from './interruption.ts';
import type { PreparedFile } from './prepared-file.ts';
import { flushFolder, putInPlace } from './put-in-place.ts';
import {
  canGoBack,
  chooseRoute,
  moveEarly,
  prepareReload,
  type Route,
  runCheck,
  type Step,
  takeOver,
} from './reload.ts';
import { splayOf } from './splay.ts';
import { readGoodCopy } from './state-file.ts';
import { verifyConsumer } from './verify.ts';

/**
 * The result of a transaction.
 *
 * `rolled-back`: the last good text is in place again and works. `owed`: the new text is in place, and its consumer works
 * neither with it nor with the old one, or there is no old one. `interrupted`: a change of master ended the run after the
 * swap, and `step` is left to do.
 */
export type Transaction =
  | { readonly kind: 'done' }
  | { readonly kind: 'rolled-back'; readonly error: SwitchmasterError }
  | { readonly kind: 'owed'; readonly error: SwitchmasterError }
  | { readonly kind: 'interrupted'; readonly step: OwedStep['step'] };

export interface Change {
  readonly rendering: GoodRendering;
  readonly urgency: Urgency;
  readonly memory: RenderMemory;
  /** The destination before the run. */
  readonly present: PresentFile | undefined;
  /** What HAProxy's servers are like before the run, see {@link moveEarly}. */
  readonly servers: 'as-proven' | 'unknown';
  /** See {@link PutInput.prepared}. */
  readonly prepared?: PreparedFile | undefined;
  /** `foreign-file`: the destination is kept aside before the swap. */
  readonly replaces: 'own-file' | 'foreign-file';
  /** Called when the destination has the new bytes: from then on, the reload is owed. */
  readonly onSwapped: () => Promise<void>;
  /** Called when the file system may still give the destination the new bytes, some time after the run. */
  readonly onLate: () => void;
}

/**
 * Candidate, check, swap, reload, verify, or rollback. Throws for failures and interruptions before the swap, when nothing
 * has changed yet. Later ones are the transaction's result.
 */
export async function replaceFile(step: Step, change: Change): Promise<Transaction> {
  const { rendering, present, memory } = change;
  const known = present?.access === 'readable' ? present : undefined;
  const inUse = memory.owed?.step === 'reload' ? undefined : known;
  const route = chooseRoute(step.spec, inUse?.bytes.toString(), rendering.text);
  const keep = memory.owed === undefined ? 'good-copy' : 'nothing';
  const moving = moveEarly(step, route, change.servers);
  moving.catch(() => undefined);
  let prepared: PreparedCommand | undefined;
  const swapped = await putInPlace(step, {
    bytes: Buffer.from(rendering.text),
    check: route.kind === 'runtime' ? 'none' : 'first',
    refusal: rendering.refusal,
    keep,
    present,
    prepared: change.prepared,
    replaces: change.replaces,
    onFlush: () => {
      prepared = prepareReload(step, route);
    },
    onLate: change.onLate,
  });
  await change.onSwapped();
  try {
    await untilInterrupted(moving, step.interrupted);
    await step.splay.wait(splayOf(step, { route: route.kind, present, owed: memory.owed }), step);
    await useFile({ ...step, prepared }, { rendering, route, swapped });
    return { kind: 'done' };
  } catch (thrown) {
    if (!wasInterrupted(step)) return rollBack(step, { change, error: failureOf(thrown) });
    return { kind: 'interrupted', step: step.clock.times.reloaded === undefined ? 'reload' : 'verify' };
  }
}

/** Does what an earlier run has left to do for a file that is in place. */
export async function finishTakeOver(step: Step, rendering: GoodRendering, owed: OwedStep): Promise<Transaction> {
  try {
    if (owed.step === 'verify') await proveUse(step, { rendering, check: 'late' });
    else await useFile(step, { rendering, route: chooseRoute(step.spec, undefined, rendering.text) });
    return { kind: 'done' };
  } catch (thrown) {
    if (!wasInterrupted(step)) return { kind: 'owed', error: failureOf(thrown) };
    return { kind: 'interrupted', step: step.clock.times.reloaded === undefined ? owed.step : 'verify' };
  }
}

type Masters = Pick<GoodRendering, 'masters'>;

async function useFile(
  step: Step,
  input: { readonly rendering: Masters; readonly route: Route; readonly swapped?: Candidate },
): Promise<void> {
  const { rendering, route, swapped } = input;
  // The consumer already reads the new file by its name. Flushing the folder may run beside the reload.
  const flushing = swapped === undefined ? undefined : untilInterrupted(flushFolder(step, swapped), step.interrupted);
  flushing?.catch(() => undefined);
  await takeOver(step, route);
  await flushing;
  await proveUse(step, { rendering, check: route.kind === 'runtime' ? 'late' : 'done' });
}

/** Checks a file that HAProxy took over without a check, and verifies the consumer. */
async function proveUse(
  step: Step,
  { rendering, check }: { readonly rendering: Masters; readonly check: 'late' | 'done' },
): Promise<void> {
  const { spec, clock } = step;
  if (check === 'late' && spec.reload?.kind === 'haproxy') await runCheck(step, spec.destination);
  const { verify, destination: file } = spec;
  if (verify === undefined) return;
  const verifying = verifyConsumer({ ...step, ...rendering, verify, file, signal: anySignal(step) });
  await untilInterrupted(verifying, step.interrupted);
  clock.reached('verified');
}

/**
 * Puts the last good file back, reloads and verifies. Never after a change of master: the old file would send clients to
 * the former master. Then the new file stays, and its reload is owed.
 */
async function rollBack(step: Step, input: { change: Change; error: SwitchmasterError }): Promise<Transaction> {
  const { change, error } = input;
  const good = change.urgency === 'master-change' ? undefined : await findGood(step, change);
  if (good === undefined || !canGoBack(step)) return { kind: 'owed', error };
  const place = { check: 'none', keep: 'nothing', present: change.present } as const;
  const swapped = await putInPlace(step, { ...place, bytes: good });
  try {
    const masters = change.memory.proven?.masters ?? change.rendering.masters;
    await useFile(step, { rendering: { masters }, route: chooseRoute(step.spec, undefined, good.toString()), swapped });
  } catch (thrown) {
    if (wasInterrupted(step)) return { kind: 'interrupted', step: 'reload' };
    const again = failureOf(thrown);
    await flushFolder(step, await putInPlace(step, { ...place, bytes: Buffer.from(change.rendering.text) }));
    return { kind: 'owed', error: extend(error, `${tooBroken}: ${again.message}`) };
  }
  const returned = extend(error, 'The last good file is in place again and works.', { rolledBack: true });
  return { kind: 'rolled-back', error: returned };
}

/** The text before the change, or the last that worked where a reload was owed. The copy of an unread file may be an older one. */
async function findGood({ spec }: Step, { memory, present }: Change): Promise<Buffer | undefined> {
  const isRead = present?.access === 'readable';
  if (memory.owed === undefined && isRead) return present.bytes;
  const copy = await readGoodCopy(spec.destination);
  return isRead || (copy !== undefined && digestOf(copy) === memory.proven?.digest) ? copy : undefined;
}

const tooBroken = 'The last good file does not work either, so the new one is in place';

function extend(error: SwitchmasterError, sentence: string, details: object = {}): SwitchmasterError {
  const options = { cause: error, details: { ...error.details, ...details } };
  // The message may end with what a program wrote.
  const stop = /[.!?]$/.test(error.message) ? '' : '.';
  return new SwitchmasterError(error.code, `${error.message}${stop} ${sentence}`, options);
}

/** The end of the daemon is not a failure of the file, so the error is rethrown. */
function failureOf(thrown: unknown): SwitchmasterError {
  const error = SwitchmasterError.from(thrown);
  if (error.code === 'stopping') throw error;
  return error;
}
