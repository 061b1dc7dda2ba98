import type { Run } from '../loop/run.ts';
import { type PresentFile, readDestination } from './apply/file.ts';
import { chooseRoute, moveEarly } from './apply/reload.ts';
import type { Entry } from './entry.ts';
import type { RenderHint } from './hint.ts';
import type { Rendering } from './plan/rendering.ts';
import { urgencyOf } from './plan/urgency.ts';
import type { StageClock } from './stages.ts';

type Read =
  | { readonly kind: 'read'; readonly present: PresentFile | undefined }
  | { readonly kind: 'unread'; readonly error: unknown };

export function tryRead(destination: string): Promise<Read> {
  return readDestination(destination).then(
    (present) => ({ kind: 'read', present }),
    (error) => ({ kind: 'unread', error }),
  );
}

/**
 * Moves HAProxy's servers at a change of master although its file cannot be read, because its file system hangs, for example.
 * They move from the last text that took effect. The file stays as it is until it can be read.
 */
export async function moveUnread(
  entry: Entry,
  {
    rendering,
    clock,
    run,
  }: { readonly rendering: Rendering; readonly clock: StageClock; readonly run: Run<RenderHint> },
): Promise<void> {
  const { template, memory, provenText, supervisor, reloads, splay } = entry;
  const { spec } = template;
  if (rendering.kind !== 'rendered' || provenText === undefined) return;
  const urgency = urgencyOf(memory.snapshot.proven, rendering);
  const { signal, interrupted } = run;
  const step = { spec, clock, signal, interrupted, supervisor, urgency, reloads, splay, warn: () => undefined };
  await moveEarly(step, chooseRoute(spec, provenText, rendering.text));
}
