import { tmpdir } from 'node:os';
import type { TemplateSpec } from '../../model/template-spec.ts';
import { type Candidate, type CandidateInput, writeCandidate } from './candidate.ts';
import { createFolders } from './folders.ts';

/** Writes a candidate where the settings of its template say. */
export async function writeNew(
  { destination, folders, placement }: TemplateSpec,
  input: CandidateInput,
): Promise<Candidate> {
  if (folders === 'create' && input.present === undefined) await createFolders(destination);
  return placement === 'in-place' ? writeAnywhere(input) : writeCandidate(input);
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
