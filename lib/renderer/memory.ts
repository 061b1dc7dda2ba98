import { readDestination, removeStaleCandidates } from './apply/file.ts';
import { type RenderState, readRenderState, writeRenderState } from './apply/state-file.ts';
import type { Entry } from './entry.ts';
import type { GoodRendering, ProvenRendering } from './plan/render.ts';
import { digestOf } from './template.ts';

/*
 * What a template's memory has beside the destination, for a daemon after this one.
 */

/** Before the first run: what a daemon before this one left. */
export async function recollect(entry: Entry): Promise<void> {
  if (entry.opened === 'yes') return;
  const { template } = entry;
  const { destination } = template.spec;
  await removeStaleCandidates(destination);
  const former = await readRenderState(destination);
  if (former !== undefined) {
    template.restore(former);
    const present = await readDestination(destination);
    // A seed that has changed since was changed by its consumer.
    const kept = template.spec.upkeep !== 'seed';
    if (kept && present !== undefined && digestOf(present.bytes) !== former.digest) {
      template.memory = {
        ...template.memory,
        owed: { reason: 'The daemon ended before its consumer had taken it over.' },
      };
    }
  }
  entry.opened = 'yes';
}

/** The rendering took effect. It is kept on disk where a later daemon would need it: for guards, and for what is owed. */
export async function remember(entry: Entry, rendering: GoodRendering): Promise<void> {
  const { template } = entry;
  const { spec } = template;
  template.prove(rendering);
  if (rendering.members.length === 0 && spec.reload === undefined && spec.verify === undefined) return;
  await writeRenderState(spec.destination, renderStateOf(rendering, template.indexes));
}

/** For a daemon after this one, which would else try it at its start. */
export async function rememberRefused(
  { template }: Entry,
  refused: NonNullable<RenderState['refused']>,
): Promise<void> {
  const { destination } = template.spec;
  const present = await readDestination(destination);
  if (present === undefined) return;
  const unknown = { digest: digestOf(present.bytes), members: [], masters: new Map<string, string>() };
  await writeRenderState(destination, {
    ...renderStateOf(template.memory.proven ?? unknown, template.indexes),
    refused,
  });
}

function renderStateOf({ digest, members, masters }: ProvenRendering, indexes: RenderState['indexes']): RenderState {
  return { digest, members, masters: Object.fromEntries(masters), indexes };
}
