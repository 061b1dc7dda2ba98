import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { canOthersWrite, isOwnFolder } from '../../links.ts';
import { isLocal } from '../../mounts.ts';
import { type FileTerms, judgePrepared } from '../plan/prepared.ts';
import { type Candidate, discardCandidate } from './candidate.ts';
import { wantedFor } from './candidate-owner.ts';
import type { PresentFile, WantedOwnership } from './file.ts';
import { resolveOwnership } from './file-owner.ts';
import { untilInterrupted, wasInterrupted } from './interruption.ts';
import { type FileStamp, isSameStamp } from './known-file.ts';
import { writeUnlessInterrupted } from './new-candidate.ts';
import { canGoBack, runCheck, type Step } from './reload.ts';
import { goodCopyPath } from './side-files.ts';
import { keepGoodCopy } from './state-file.ts';

interface PrepareInput {
  readonly bytes: Buffer;
  /** The destination, which its consumer uses. */
  readonly present: PresentFile;
  readonly check: 'first' | 'none';
}

/** A prepared file that a run takes over. */
interface TakenFile {
  readonly candidate: Candidate;
  readonly check: 'passed' | 'due';
  /** `kept`: the destination is kept for a rollback already. */
  readonly goodCopy: 'kept' | 'due';
}

/** A candidate that is written, flushed and checked before the change of master that it is for. */
export class PreparedFile {
  readonly #terms: FileTerms;
  readonly #candidate: Candidate;
  readonly #stamp: FileStamp;
  readonly #check: 'passed' | 'none';
  readonly #preparedMs: number;
  #state: 'ready' | 'used' | 'dropped' = 'ready';
  #removal: Promise<void> | undefined;
  readonly #good: { readonly bytes: Buffer; readonly path: string; readonly stamp: FileStamp | undefined } | undefined;

  /**
   * undefined where others could change the file meanwhile, or where its file system may hang. Throws as the steps of a run do, and
   * leaves no file then.
   */
  static async prepare(step: Step, input: PrepareInput): Promise<PreparedFile | undefined> {
    const { path } = input.present;
    if (!isLocal(path) || !isOwnFolder(dirname(path))) return undefined;
    const { destination } = step.spec;
    const ownership = await resolveOwnership(step);
    const { signal } = step;
    const candidate = await writeUnlessInterrupted(step, { ...input, destination, ownership, signal });
    try {
      return await finish(step, { ...input, ownership, candidate });
    } catch (thrown) {
      const discarding = discardCandidate(candidate);
      // A change of master does not wait for a disk.
      if (!wasInterrupted(step)) await discarding;
      throw thrown;
    }
  }

  constructor(parts: {
    readonly terms: FileTerms;
    readonly candidate: Candidate;
    readonly stamp: FileStamp;
    readonly check: 'passed' | 'none';
    readonly good: Buffer | undefined;
  }) {
    this.#terms = parts.terms;
    this.#candidate = parts.candidate;
    this.#stamp = parts.stamp;
    this.#check = parts.check;
    this.#preparedMs = performance.now();
    const path = goodCopyPath(parts.terms.destination);
    this.#good = parts.good && { bytes: parts.good, path, stamp: stampOf(path) };
  }

  get state(): 'ready' | 'used' | 'dropped' {
    return this.#state;
  }

  /** Gives the file to a run that wants the same one, and otherwise removes it. */
  take(wanted: {
    readonly bytes: Buffer;
    readonly destination: string;
    readonly ownership: WantedOwnership;
    readonly present: PresentFile | undefined;
  }): TakenFile | undefined {
    const { bytes, destination, present } = wanted;
    const { path } = this.#candidate;
    const decision = judgePrepared({
      prepared: this.#terms,
      wanted: { bytes, destination: present?.path ?? destination, ...wantedFor(wanted) },
      file: isUnchanged(path, this.#stamp) ? 'as-prepared' : 'changed',
      folder: isOwnFolder(dirname(path)) ? 'own' : 'others',
      check: this.#check,
      ageMs: performance.now() - this.#preparedMs,
    });
    if (this.#state !== 'ready' || decision.kind === 'drop') {
      void this.discard();
      return undefined;
    }
    this.#state = 'used';
    return { candidate: this.#candidate, check: decision.check, goodCopy: this.#isKept(present) ? 'kept' : 'due' };
  }

  /** Removes it, unless a run has taken it over. */
  async discard(): Promise<void> {
    if (this.#state === 'ready') {
      this.#state = 'dropped';
      this.#removal = discardCandidate(this.#candidate);
    }
    // Also for whoever calls it while another call is under way: the daemon does not end before.
    await this.#removal;
  }

  #isKept(present: PresentFile | undefined): boolean {
    const { bytes, path, stamp } = this.#good ?? {};
    if (bytes === undefined || path === undefined || stamp === undefined) return false;
    return present?.access === 'readable' && present.bytes.equals(bytes) && isUnchanged(path, stamp);
  }
}

async function finish(
  step: Step,
  input: PrepareInput & { readonly ownership: WantedOwnership; readonly candidate: Candidate },
): Promise<PreparedFile | undefined> {
  const { bytes, present, candidate, check } = input;
  const stamp = stampOf(candidate.path);
  // Whoever may write to the file could change it after the check.
  if (candidate.refused !== undefined || stamp === undefined || canOthersWrite(numbersOf(stamp))) {
    await discardCandidate(candidate);
    return undefined;
  }
  if (check === 'first') await runCheck(step, candidate.path);
  const good = canGoBack(step) ? present.bytes : undefined;
  // A copy: with a second name, the destination would have to be read again.
  const keeping = good && keepGoodCopy(step.spec.destination, present, 'flushed');
  if (keeping !== undefined) await untilInterrupted(keeping, step.interrupted);
  const terms = { bytes, destination: candidate.destination, ...wantedFor(input) };
  const isChecked = check === 'first' && step.spec.check !== undefined;
  return new PreparedFile({ terms, candidate, stamp, check: isChecked ? 'passed' : 'none', good });
}

function numbersOf({ uid, mode }: FileStamp) {
  return { uid: Number(uid), mode: Number(mode) };
}

function isUnchanged(path: string, stamp: FileStamp): boolean {
  const now = stampOf(path);
  return now !== undefined && isSameStamp(now, stamp);
}

/** undefined for a file that is gone, or that the event loop may not ask for. */
function stampOf(path: string): FileStamp | undefined {
  return isLocal(path) ? lstatSync(path, { bigint: true, throwIfNoEntry: false }) : undefined;
}
