import { newFileMode } from '../model/template-spec.ts';
import type { PresentFile } from './apply/file.ts';
import type { Entry } from './entry.ts';
import { planRender, type RenderPlan } from './plan/render.ts';
import type { Rendering } from './plan/rendering.ts';
import { compareFile, isSame } from './saved-state.ts';

/** What a run has seen. */
interface Seen {
  /** The destination. */
  readonly present: PresentFile | undefined;
  readonly rendering: Rendering;
}

/** What it means. */
export async function planEntry({ template, memory: { snapshot: memory } }: Entry, seen: Seen): Promise<RenderPlan> {
  const { destination, guard, upkeep, takeover = 'refuse' } = template.spec;
  const file = await compareFile(seen, { destination, memory });
  const { catalog } = template.history;
  return planRender({ rendering: seen.rendering, file, memory, catalog, guard, upkeep, takeover });
}

/** What the API shows from now on. */
export function showRendering(entry: Entry, { present, rendering }: Seen): void {
  const { template } = entry;
  if (rendering.kind === 'rendered') {
    entry.text = rendering.text;
    entry.shown = template.shown;
    entry.renderedAt = new Date().toISOString();
  }
  const { mode } = template.spec;
  // Anybody sees a text only when both the config and the file let others read it.
  entry.mode = (mode ?? 0o777) & (present?.mode ?? mode ?? newFileMode);
  entry.present = isSame({ present, rendering }) ? undefined : present?.bytes.toString();
}
