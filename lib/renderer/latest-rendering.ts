import type { Run } from '../loop/run.ts';
import type { RenderHint } from './hint.ts';
import type { LiveTemplate } from './observe/live-template.ts';
import type { Rendering } from './plan/rendering.ts';

const mostRenders = 3;

/**
 * Renders with the masters of now: a render takes turns of the event loop, in which a master may move. If one moves each time,
 * the change interrupts the run.
 */
export async function renderLatest(template: LiveTemplate, run: Run<RenderHint>): Promise<Rendering> {
  for (let attempt = 1; ; attempt++) {
    const rendering = await template.render();
    const isLatest = template.missedUrgency === 'ordinary';
    // The rendering includes the changes whose hints came until now.
    if (isLatest) run.takeUrgent();
    if (isLatest || attempt === mostRenders) return rendering;
  }
}
