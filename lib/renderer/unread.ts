import { setTimeout as delay } from 'node:timers/promises';
import type { Run } from '../loop/run.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { type PresentFile, readDestination } from './apply/file.ts';
import type { KnownFile } from './apply/known-file.ts';
import { chooseRoute, moveEarly, type Route } from './apply/reload.ts';
import type { Entry } from './entry.ts';
import type { RenderHint } from './hint.ts';
import { planRender } from './plan/render.ts';
import type { Rendering } from './plan/rendering.ts';
import type { StageClock } from './stages.ts';

type Read =
  | { readonly kind: 'read'; readonly present: PresentFile | undefined }
  | { readonly kind: 'unread'; readonly error: unknown };

/**
 * Reads the destination, in another thread while the run renders. A run that something in Consul caused does not read a file that is
 * as it was: see {@link KnownFile}.
 */
export function tryRead(entry: Entry, { hints }: Pick<Run<RenderHint>, 'hints'>): Promise<Read> {
  if (!hints.some(({ source }) => source === 'consul')) entry.known.forget();
  return readDestination(entry.template.spec.destination, entry.known).then(
    (present) => {
      entry.unread = undefined;
      return { kind: 'read', present };
    },
    (error) => ({ kind: 'unread', error }),
  );
}

/** Lets the next run know the destination. */
export function rereadLater({ known, template }: Entry): void {
  known.renewLater(() => readDestination(template.spec.destination, known));
}

/** HAProxy waits so long at most for its file to be read: a busy machine or a slow file system takes much longer. */
const readLimitMs = 2;

/** What a run needs before its file is read. */
export interface RunContext {
  readonly clock: StageClock;
  readonly run: Run<RenderHint>;
  readonly warn: (warning: string) => void;
}

interface Move extends RunContext {
  readonly rendering: Rendering;
}

/** Waits until the destination is read. At a change of master, HAProxy's servers move meanwhile if that takes long. */
export async function readOrMove(entry: Entry, move: Move & { readonly reading: Promise<Read> }): Promise<Read> {
  // A file that is known has been read by now, and a timer costs more than the look.
  const read = await Promise.race([move.reading, undefined]);
  if (read?.kind === 'read') return read;
  const limit = new AbortController();
  const late = delay(readLimitMs, undefined, { signal: limit.signal }).catch(() => undefined);
  const first = await Promise.race([move.reading, late]);
  limit.abort();
  if (first?.kind === 'read') return first;
  await moveUnread(entry, move);
  return move.reading;
}

/**
 * Moves HAProxy's servers at a change of master although its file cannot be read, because its file system hangs, for example.
 * They move from the last text that took effect, unless a guard holds the text or it was rolled back. The file stays as it is
 * until it can be read.
 */
async function moveUnread(entry: Entry, { rendering, clock, run, warn }: Move): Promise<void> {
  const { template, memory, provenText, supervisor, reloads, splay } = entry;
  const { spec } = template;
  if (rendering.kind !== 'rendered' || provenText === undefined) return;
  const { guard, upkeep, takeover = 'refuse' } = spec;
  const { catalog } = template.history;
  const plan = planRender({ rendering, file: 'different', memory: memory.snapshot, catalog, guard, upkeep, takeover });
  if (plan.kind !== 'write') return;
  // A second change may lead back to the text that took effect last.
  const urgency = entry.unread === 'moved' ? 'master-change' : plan.urgency;
  if (urgency === 'ordinary') return;
  const route =
    entry.unread === 'moved' ? alignTo(spec, rendering.text) : chooseRoute(spec, provenText, rendering.text);
  const { servers } = entry;
  entry.unread = 'moved';
  entry.servers = 'unknown';
  const { signal, interrupted } = run;
  const step = { spec, clock, signal, interrupted, supervisor, urgency, reloads, splay, warn };
  await moveEarly(step, route, servers);
}

/** Including the current addresses of HAProxy's servers. */
function alignTo(spec: TemplateSpec, text: string): Route {
  const route = chooseRoute(spec, text, text);
  return route.kind === 'runtime' ? { kind: 'reload', plan: { ...route.plan.otherwise, rerouted: [] } } : route;
}
