import { SwitchmasterError } from '../errors.ts';
import { readDestination, removeStaleCandidates } from './apply/file.ts';
import { type RenderState, readRenderState, writeRenderState } from './apply/state-file.ts';
import { examineDestination } from './destination.ts';
import type { Entry } from './entry.ts';
import { digestOf, type LiveTemplate } from './observe/live-template.ts';
import type { GoodRendering, ProvenRendering } from './plan/rendering.ts';

/*
 * The part of a template's memory that is saved beside its destination, for the daemon after this one.
 */

/**
 * Before the first run: loads what a daemon before this one saved, and removes its unfinished candidates. `remember` gets
 * the records that it followed.
 */
export async function loadState(entry: Entry, remember: (records: readonly string[]) => void): Promise<void> {
  if (entry.opened === 'yes') return;
  const { template, memory } = entry;
  const { destination, upkeep } = template.spec;
  await removeStaleCandidates(destination);
  entry.placeProblem = await examineDestination(template.spec);
  const former = await readRenderState(destination);
  if (former !== undefined) {
    memory.restore(former);
    template.history.restore(former.indexes);
    remember(former.records ?? []);
    const present = await readDestination(destination);
    // A seed that differs was changed by its consumer.
    if (upkeep !== 'seed' && present !== undefined && digestOf(present.bytes) !== former.digest) {
      memory.owe({ step: 'reload', reason: 'The daemon ended before the consumer used the file.' });
    }
  }
  entry.opened = 'yes';
}

/**
 * The rendering took effect. Saves it where a later daemon needs it: for guards, and for an owed reload. A state that cannot
 * be saved is a warning: the file follows all the same.
 */
export async function saveProven(entry: Entry, rendering: GoodRendering): Promise<void> {
  const { template, memory } = entry;
  const { spec } = template;
  memory.prove(rendering);
  if (!template.heldRecords) template.history.prove();
  const { members, lists } = rendering;
  if (members.length + lists.filled.length === 0 && spec.reload === undefined && spec.verify === undefined) return;
  entry.stateProblem = await writeRenderState(
    spec.destination,
    toState({ ...rendering, filled: lists.filled }, template),
  ).then(
    () => undefined,
    (thrown) => SwitchmasterError.from(thrown).message,
  );
}

/** Saves which text was rolled back, so that a later daemon does not try it at its start. */
export async function saveRefused(
  { template, memory }: Entry,
  refused: NonNullable<RenderState['refused']>,
): Promise<void> {
  const { destination } = template.spec;
  const present = await readDestination(destination);
  if (present === undefined) return;
  const unknown = { digest: digestOf(present.bytes), members: [], filled: [], masters: new Map<string, string>() };
  const state = toState(memory.snapshot.proven ?? unknown, template);
  await writeRenderState(destination, { ...state, refused });
}

function toState(
  { digest, members, filled, masters }: ProvenRendering,
  { indexes, records }: LiveTemplate,
): RenderState {
  return { digest, members, filled, masters: Object.fromEntries(masters), records, indexes };
}
