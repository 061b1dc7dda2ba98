import { EventEmitter, once } from 'node:events';
import { SwitchmasterError } from '../errors.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { TemplateSpec } from '../plan/render-spec.ts';
import { readDestination } from '../sink/file.ts';
import type { Watches } from '../source/catalog.ts';
import type { Outcome } from './outcome.ts';
import { Renderer } from './renderer.ts';
import { LiveTemplate } from './renderer-template.ts';

export interface RenderOnceInput {
  readonly spec: TemplateSpec;
  /** '' where none is set. */
  readonly environment: string;
  readonly watches: Watches;
  /** How long what it reads may take to answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a template would make of its destination now. */
export type Preview =
  | {
      readonly kind: 'rendered';
      readonly text: string;
      /** The destination as it is; undefined where there is none. */
      readonly before: string | undefined;
    }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

/** Renders one template without touching anything. Never throws. */
export async function previewTemplate(input: RenderOnceInput): Promise<Preview> {
  const changes = new EventEmitter();
  const onChange = (query: ConsulQuery) => template.heard(query) === 'incomplete' || changes.emit('change');
  const template = new LiveTemplate({ ...input, onChange });
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.timeoutMs)]);
  try {
    for (;;) {
      const rendering = await template.render();
      if (rendering.kind === 'failed') return rendering;
      if (rendering.kind === 'rendered') {
        const present = await readDestination(input.spec.destination);
        return { kind: 'rendered', text: rendering.text, before: present?.bytes.toString() };
      }
      const changed = once(changes, 'change', { signal }).catch(() => undefined);
      await changed;
      if (signal.aborted) return { kind: 'failed', error: unanswered(template, rendering.missing) };
    }
  } catch (thrown) {
    return { kind: 'failed', error: SwitchmasterError.from(thrown) };
  } finally {
    template.release();
  }
}

/**
 * Renders one template and carries it out as the daemon would, with its check, reload and verify. A program that the
 * daemon supervises is left to the daemon. Never throws.
 */
export async function renderOnce(input: RenderOnceInput): Promise<Outcome> {
  const changes = new EventEmitter();
  const { reload, ...rest } = input.spec;
  const spec: TemplateSpec = reload === undefined || reload.kind === 'supervise' ? rest : input.spec;
  const renderer = new Renderer({ ...input, specs: [spec], wake: () => changes.emit('wake') });
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.timeoutMs)]);
  const hints = [{ source: 'operator', event: 'render', receivedMs: performance.now() }];
  try {
    for (;;) {
      const woken = once(changes, 'wake', { signal }).catch(() => undefined);
      const outcome = await renderer.reconcile({ key: spec.name, reconcileId: 'once', hints, signal: input.signal });
      if (renderer.template(spec.name)?.state !== 'pending') return outcome;
      await woken;
      if (signal.aborted) return outcome;
    }
  } finally {
    await renderer.close();
  }
}

function unanswered(template: LiveTemplate, missing: readonly string[]): SwitchmasterError {
  return new SwitchmasterError('template-failed', `It waits in vain. ${template.describeGaps(missing)}`);
}
