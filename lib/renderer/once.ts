import { EventEmitter, once } from 'node:events';
import { trustRecords } from '../consul/trust-records.ts';
import type { Watches } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { ActiveRun } from '../loop/run.ts';
import type { Publish } from '../model/publish.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { redactError } from '../template/redacted-error.ts';
import { readDestination } from './apply/file.ts';
import { readRenderState } from './apply/state-file.ts';
import { LiveTemplate } from './observe/live-template.ts';
import { planRender } from './plan/render.ts';
import type { GoodRendering } from './plan/rendering.ts';
import { Renderer } from './reconciler.ts';
import { compareFile } from './saved-state.ts';
import { TemplateMemory } from './template-memory.ts';

export interface RenderOnceInput {
  readonly spec: TemplateSpec;
  readonly environment: string | undefined;
  readonly publish?: Publish;
  readonly watches: Watches;
  /** Secrets of the config, which no output may contain. */
  readonly secrets?: readonly string[];
  /** How long to wait for answers from Consul. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What a run would do with the destination now. */
export type Preview =
  | {
      readonly kind: 'rendered';
      readonly text: string;
      /** `none`: the file differs at most in its head. */
      readonly change: 'none' | 'text';
      /** The content of the destination; undefined when it does not exist. */
      readonly before: string | undefined;
    }
  /** The daemon would not write it: a guard holds it, or it was rolled back. */
  | { readonly kind: 'held'; readonly text: string; readonly before: string | undefined; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

/** Renders one template and changes nothing. Never throws. */
export async function previewTemplate(input: RenderOnceInput): Promise<Preview> {
  const changes = new EventEmitter();
  const onChange = (query: ConsulQuery) => template.noteChange(query) === 'incomplete' || changes.emit('change');
  const trust = trustRecords(input);
  const template = new LiveTemplate({ ...input, ...trust, onChange });
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.timeoutMs)]);
  try {
    const former = await readRenderState(input.spec.destination, 'any');
    trust.rememberRecords({ records: former?.records ?? [], indexes: former?.indexes ?? {} });
    for (;;) {
      // Answers may come while it renders.
      const changed = once(changes, 'change', { signal }).catch(() => undefined);
      const rendering = await template.render();
      if (rendering.kind === 'failed') return failed(rendering.error, template);
      if (rendering.kind === 'rendered' && rendering.refusal) return failed(rendering.refusal, template);
      if (rendering.kind === 'rendered') return await previewText(template, rendering);
      await changed;
      if (signal.aborted) return failed(unansweredError(template, rendering.missing), template);
    }
  } catch (thrown) {
    return failed(SwitchmasterError.from(thrown), template);
  } finally {
    template.release();
  }
}

/** Plans as the daemon would, with the state that a daemon has saved beside the destination. */
async function previewText(template: LiveTemplate, rendering: GoodRendering): Promise<Preview> {
  const { spec, redactor } = template;
  const { destination } = spec;
  const [present, former] = await Promise.all([readDestination(destination), readRenderState(destination, 'any')]);
  const memory = new TemplateMemory();
  if (former !== undefined) {
    memory.restore(former);
    template.history.restore(former.indexes);
  }
  const file = await compareFile({ present, rendering }, { destination, memory: memory.snapshot, owners: 'any' });
  const { guard, upkeep, takeover = 'refuse' } = spec;
  const { catalog } = template.history;
  const plan = planRender({ rendering, file, upkeep, memory: memory.snapshot, guard, catalog, takeover });
  const texts = { text: rendering.text, before: present?.bytes.toString() };
  const reason = plan.kind === 'held' ? plan.finding.reason : plan.kind === 'refused' ? plan.reason : undefined;
  if (reason === undefined) return { kind: 'rendered', ...texts, change: file === 'same' ? 'none' : 'text' };
  return { kind: 'held', ...texts, reason: redactor.redact(`${spec.destination} stays as it is. ${reason}`) };
}

/**
 * Renders one template and carries it out as the daemon would, with its check, reload and verify. Does not touch a
 * program that the daemon supervises. Never throws.
 */
export async function renderOnce(input: RenderOnceInput): Promise<Outcome> {
  const changes = new EventEmitter();
  const { reload, ...rest } = input.spec;
  const spec: TemplateSpec = reload === undefined || reload.kind === 'supervise' ? rest : input.spec;
  const renderer = new Renderer({ ...input, ...trustRecords(input), specs: [spec], wake: () => changes.emit('wake') });
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.timeoutMs)]);
  const hints = [{ source: 'operator', event: 'render', receivedMs: performance.now() }];
  try {
    for (;;) {
      const woken = once(changes, 'wake', { signal }).catch(() => undefined);
      const run = new ActiveRun({ key: spec.name, reconcileId: 'once', hints, signal: input.signal });
      const outcome = await renderer.reconcile(run);
      const state = renderer.template(spec.name)?.state;
      if (state !== 'pending' && state !== 'debounced') return outcome;
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

function unansweredError(template: LiveTemplate, missing: readonly string[]): SwitchmasterError {
  return new SwitchmasterError('template-failed', `Timed out. ${template.describeGaps(missing)}`);
}
