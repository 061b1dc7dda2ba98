import { dirname } from 'node:path';
import { SwitchmasterError } from '../../errors.ts';
import { isOwnFolder } from '../../links.ts';
import { isLocal } from '../../mounts.ts';
import { type Candidate, type CandidateInput, discardCandidate, fixSwap, placeNew, swapIn } from './candidate.ts';
import type { PresentFile } from './file.ts';
import { resolveOwnership } from './file-owner.ts';
import { overwrite } from './in-place.ts';
import { untilInterrupted } from './interruption.ts';
import { keepAside } from './kept-aside.ts';
import { writeUnlessInterrupted } from './new-candidate.ts';
import type { PreparedFile } from './prepared-file.ts';
import { canGoBack, runCheck, type Step } from './reload.ts';
import { keepGoodCopy } from './state-file.ts';

export interface PutInput {
  readonly bytes: Buffer;
  readonly check: 'first' | 'none';
  readonly refusal?: SwitchmasterError | undefined;
  readonly keep: 'good-copy' | 'nothing';
  /** The destination before the run. */
  readonly present: PresentFile | undefined;
  /** May be the file that is wanted. Default: it is written now. */
  readonly prepared?: PreparedFile | undefined;
  /** `foreign-file`: the destination is kept aside before the swap. */
  readonly replaces?: 'own-file' | 'foreign-file';
  /** See {@link CandidateInput.onFlush}. */
  readonly onFlush?: () => void;
  /** Called when the file system may still give the destination the new bytes, some time after the run. */
  readonly onLate?: () => void;
}

/** Candidate, check and swap. Throws for failures and interruptions, when nothing has changed yet. */
export async function putInPlace(step: Step, input: PutInput): Promise<Candidate> {
  const { spec, clock, signal } = step;
  const { bytes, present } = input;
  const { destination } = spec;
  const ownership = await resolveOwnership(step);
  const taken = input.prepared?.take({ bytes, destination, ownership, present });
  const goodCopy = new GoodCopy(step, { ...input, keep: taken?.goodCopy === 'kept' ? 'nothing' : input.keep });
  const onFlush = () => {
    goodCopy.beginBeside();
    input.onFlush?.();
  };
  const write = () => writeUnlessInterrupted(step, { destination, bytes, ownership, present, signal, onFlush });
  const candidate =
    taken?.candidate ??
    (await write().catch(async (thrown) => {
      await goodCopy.settle();
      throw thrown;
    }));
  if (candidate.refused !== undefined) step.warn(candidate.refused);
  goodCopy.begin();
  try {
    if (input.check === 'first' && input.refusal !== undefined) throw input.refusal;
    if (input.check === 'first' && taken?.check !== 'passed') await runCheck(step, candidate.path);
    if (input.replaces === 'foreign-file' && present !== undefined) {
      const { placement = 'rename' } = spec;
      step.warn(describeKept(destination, await keepAside(present, { placement, now: new Date() })));
    }
    await goodCopy.end();
  } catch (thrown) {
    await goodCopy.settle();
    await discardCandidate(candidate);
    throw thrown;
  }
  const swapping = swap(step, candidate, input);
  if (taken !== undefined) input.onFlush?.();
  await swapping;
  clock.reached('swapped');
  return candidate;
}

/**
 * The copy that a rollback after a restart goes back to. The present file is good, whatever the result of the candidate. A
 * copy that cannot be kept stops no change.
 */
class GoodCopy {
  readonly #step: Step;
  readonly #present: PresentFile | undefined;
  #keeping: Promise<void> | undefined;

  constructor(step: Step, { keep, present }: PutInput) {
    this.#step = step;
    this.#present = keep === 'good-copy' && canGoBack(step) && present?.access === 'readable' ? present : undefined;
  }

  /**
   * Begins while the disk flushes the candidate. Not on a file system that may hang, where the candidate comes first. And not in a
   * folder in which others could have made the second name that an interrupted run may leave to the file for a moment.
   */
  beginBeside(): void {
    const { path } = this.#present ?? {};
    if (path !== undefined && isLocal(path) && isOwnFolder(dirname(path))) this.begin();
  }

  begin(): void {
    if (this.#present === undefined || this.#keeping !== undefined) return;
    const { destination, placement } = this.#step.spec;
    const how = placement === 'in-place' ? 'copied' : 'linked';
    this.#keeping = keepGoodCopy(destination, this.#present, how).catch(warnOf(this.#step));
  }

  /** Rejects if the run is interrupted first. */
  async end(): Promise<void> {
    if (this.#keeping !== undefined) await untilInterrupted(this.#keeping, this.#step.interrupted);
  }

  /** For a run that fails: its warning belongs to this run, and the next one must not find the file under a third name. */
  settle(): Promise<void> {
    return this.end().catch(() => undefined);
  }
}

function warnOf({ warn }: Step): (thrown: unknown) => void {
  return (thrown) => warn(SwitchmasterError.from(thrown).message);
}

async function swap(
  { spec }: Step,
  candidate: Candidate,
  { bytes, onLate }: { readonly bytes: Buffer; readonly onLate?: PutInput['onLate'] },
): Promise<void> {
  try {
    if (spec.placement === 'in-place') await overwrite(candidate, bytes);
    else await (spec.upkeep === 'seed' ? placeNew(candidate) : swapIn(candidate));
  } catch (thrown) {
    if (SwitchmasterError.from(thrown).details.errno === 'ETIMEDOUT') onLate?.();
    throw thrown;
  }
}

function describeKept(destination: string, kept: string): string {
  return `${destination} was not written by switchmaster: its former content is kept as ${kept}.`;
}

/** The file is in place already. If the folder cannot be flushed, only a crash right now could lose the change. */
export async function flushFolder(step: Step, swapped: Candidate): Promise<void> {
  await fixSwap(swapped).catch(warnOf(step));
}
