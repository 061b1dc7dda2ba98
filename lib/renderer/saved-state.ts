import type { FormerRecords } from '../consul/trusted-records.ts';
import { SwitchmasterError } from '../errors.ts';
import { removeStaleCandidates } from './apply/candidate.ts';
import { type PresentFile, readDestination } from './apply/file.ts';
import { hasRenderState, type RenderState, readRenderState, writeRenderState } from './apply/state-file.ts';
import { examineDestination } from './destination.ts';
import type { Entry } from './entry.ts';
import { computeDigest, digestOf, hasHead } from './head.ts';
import type { LiveTemplate } from './observe/live-template.ts';
import type { RenderSnapshot } from './plan/render.ts';
import type { GoodRendering, ProvenRendering, Rendering, RenderMemory } from './plan/rendering.ts';

/*
 * The part of a template's memory that is saved beside its destination, for the daemon after this one.
 */

/**
 * Before the first run: loads what a daemon before this one saved, and removes its unfinished candidates. `remember` gets
 * the records that it followed.
 */
export async function loadState(entry: Entry, remember: (former: FormerRecords) => void): Promise<void> {
  if (entry.opened === 'yes') return;
  const { template, memory } = entry;
  const { destination, upkeep } = template.spec;
  await removeStaleCandidates(destination);
  entry.placeProblem = await examineDestination(template.spec);
  const former = await readRenderState(destination);
  if (former !== undefined) {
    memory.restore(former);
    template.history.restore(former.indexes);
    remember({ records: former.records ?? [], indexes: former.indexes });
    const present = await readDestination(destination);
    // A seed that differs was changed by its consumer.
    if (upkeep !== 'seed' && present !== undefined && (await computeDigest(present.bytes)) !== former.digest) {
      memory.owe({ step: 'reload', reason: 'The daemon ended before the consumer used the file.' });
    }
  }
  entry.opened = 'yes';
}

/**
 * Compares the destination with the rendering. A file is the daemon's own if this daemon or one before it wrote it: by the
 * memory, by the file's head, or by a state beside the file, which `render --adopt` may have written meanwhile. An empty file is nobody's.
 */
export async function compareFile(
  { present, rendering }: { readonly present: PresentFile | undefined; readonly rendering: Rendering },
  known: { readonly destination: string; readonly memory: RenderMemory; readonly owners?: 'trusted' | 'any' },
): Promise<RenderSnapshot['file']> {
  if (present === undefined) return 'absent';
  await computeDigest(present.bytes);
  if (isSame({ present, rendering })) return 'same';
  if (known.memory.owner === 'daemon' || isEmpty(present) || hasHead(present.bytes)) return 'different';
  return (await hasRenderState(known.destination, known.owners)) ? 'different' : 'foreign';
}

export function isSame(seen: { readonly present: PresentFile | undefined; readonly rendering: Rendering }): boolean {
  const { present, rendering } = seen;
  return rendering.kind === 'rendered' && present !== undefined && digestOf(present.bytes) === rendering.digest;
}

function isEmpty({ access, bytes }: PresentFile): boolean {
  return access === 'readable' && bytes.toString().trim() === '';
}

/** The first text of this daemon is in place. Saves that it is the daemon's own, also if its consumer refuses it. */
export async function saveClaim({ template, memory }: Entry, before: PresentFile | undefined): Promise<void> {
  const { destination, upkeep } = template.spec;
  memory.claim();
  if (upkeep === 'seed') return;
  // The digest of the former content: the daemon after this one owes the reload until the text took effect.
  const digest = digestOf(before?.bytes ?? Buffer.alloc(0));
  await writeRenderState(destination, toState(unproven(digest), template)).catch(() => undefined);
}

function unproven(digest: string): ProvenRendering {
  return { digest, members: [], filled: [], masters: new Map() };
}

/**
 * The rendering took effect. Saves it where a later daemon needs it: for guards, and for an owed reload. A state that cannot
 * be saved is a warning, and the file is still replaced.
 */
export async function saveProven(entry: Entry, rendering: GoodRendering): Promise<void> {
  const { template, memory } = entry;
  const { spec } = template;
  memory.prove(rendering);
  entry.provenText = rendering.text;
  entry.servers = 'as-proven';
  if (!template.seen.heldRecords) template.history.prove(template.seen.versions);
  const { members, lists } = rendering;
  // Nothing is compared with a seed later.
  if (spec.upkeep === 'seed' && spec.reload === undefined && members.length + lists.filled.length === 0) return;
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
  const state = toState(memory.snapshot.proven ?? unproven(digestOf(present.bytes)), template);
  await writeRenderState(destination, { ...state, refused });
}

function toState({ digest, members, filled, masters }: ProvenRendering, { seen, history }: LiveTemplate): RenderState {
  const { versions, records } = seen;
  const indexes: Record<string, string> = {};
  for (const [id, { index }] of versions) indexes[id] = String(history.indexOf(id) ?? index);
  return { digest, members, filled, masters: Object.fromEntries(masters), records, indexes };
}
