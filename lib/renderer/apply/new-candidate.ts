import { tmpdir } from 'node:os';
import type { TemplateSpec } from '../../model/template-spec.ts';
import { type Candidate, type CandidateInput, discardCandidate, writeCandidate } from './candidate.ts';
import { createFolders } from './folders.ts';
import { untilInterrupted } from './interruption.ts';

/** Writes a candidate where the settings of its template say. */
async function writeNew({ destination, folders, placement }: TemplateSpec, input: CandidateInput): Promise<Candidate> {
  if (folders === 'create' && input.present === undefined) await createFolders(destination);
  return placement === 'in-place' ? writeAnywhere(input) : writeCandidate(input);
}

/** The same. Rejects when `interrupted` is aborted first, and leaves no file then. */
export async function writeUnlessInterrupted(
  { spec, interrupted }: { readonly spec: TemplateSpec; readonly interrupted: AbortSignal },
  input: CandidateInput,
): Promise<Candidate> {
  let isAwaited = true;
  const onFlush = () => (isAwaited ? input.onFlush?.() : undefined);
  const writing = writeNew(spec, { ...input, onFlush });
  try {
    return await untilInterrupted(writing, interrupted);
  } catch (thrown) {
    isAwaited = false;
    // A slow disk may still write this, and the next run writes it again.
    void writing.then(discardCandidate, () => undefined);
    throw thrown;
  }
}

/** A file that is overwritten needs no candidate beside it, and the folder of a mounted file is often read-only. */
async function writeAnywhere(candidateInput: CandidateInput): Promise<Candidate> {
  try {
    return await writeCandidate(candidateInput);
  } catch {
    candidateInput.signal.throwIfAborted();
    return writeCandidate({ ...candidateInput, folder: tmpdir() });
  }
}
