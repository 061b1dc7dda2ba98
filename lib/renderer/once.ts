import { EventEmitter, once } from 'node:events';
import type { Watches } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { ActiveRun } from '../loop/run.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { redactError } from '../template/redacted-error.ts';
import { readDestination } from './apply/file.ts';
import { readRenderState } from './apply/state-file.ts';
import { type GoodRendering, planRender } from './plan/render.ts';
import { Renderer } from './reconciler.ts';
import { digestOf, LiveTemplate } from './template.ts';

export interface RenderOnceInput {
  readonly spec: TemplateSpec;
  /** '' where none is set. */
  readonly environment: string | undefined;
  readonly watches: Watches;
  /** Of the config: nothing that is told may hold them. */
  readonly secrets?: readonly string[];
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
  /** The daemon would not write it: a guard holds it, or it was rolled back. */
  | { readonly kind: 'held'; readonly text: string; readonly before: string | undefined; readonly reason: string }
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
      if (rendering.kind === 'failed') return failed(rendering.error, template);
      if (rendering.kind === 'rendered') {
        return await judge(template, rendering);
      }
      const changed = once(changes, 'change', { signal }).catch(() => undefined);
      await changed;
      if (signal.aborted) return failed(unanswered(template, rendering.missing), template);
    }
  } catch (thrown) {
    return failed(SwitchmasterError.from(thrown), template);
  } finally {
    template.release();
  }
}

/** What the daemon would make of it, with what one before left beside the destination. */
async function judge(template: LiveTemplate, rendering: GoodRendering): Promise<Preview> {
  const { spec } = template;
  const [present, former] = await Promise.all([readDestination(spec.destination), readRenderState(spec.destination)]);
  if (former !== undefined) template.restore(former);
  const same = present !== undefined && digestOf(present.bytes) === rendering.digest;
  const file = present === undefined ? 'absent' : same ? 'same' : 'different';
  const { guard = {}, upkeep = 'kept' } = spec;
  const plan = planRender({ rendering, file, upkeep, memory: template.memory, guard, catalog: template.catalog });
  const texts = { text: rendering.text, before: present?.bytes.toString() };
  const stays = template.redactor.redact(`${spec.destination} stays as it is.`);
  switch (plan.kind) {
    case 'held':
      return { kind: 'held', ...texts, reason: `${stays} ${template.redactor.redact(plan.finding.reason)}` };
    case 'refused':
      return { kind: 'held', ...texts, reason: `${stays} ${template.redactor.redact(plan.reason)}` };
    default:
      return { kind: 'rendered', ...texts };
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
      const run = new ActiveRun({ key: spec.name, reconcileId: 'once', hints, signal: input.signal });
      const outcome = await renderer.reconcile(run);
      if (renderer.template(spec.name)?.state !== 'pending') return outcome;
      await woken;
      if (signal.aborted) return outcome;
    }
  } finally {
    await renderer.close();
  }
}

function failed(error: SwitchmasterError, { redactor }: LiveTemplate): Preview {
  return { kind: 'failed', error: redactError(error, redactor) };
}

function unanswered(template: LiveTemplate, missing: readonly string[]): SwitchmasterError {
  return new SwitchmasterError('template-failed', `It waits in vain. ${template.describeGaps(missing)}`);
}
