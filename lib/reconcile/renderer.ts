import { SwitchmasterError } from '../errors.ts';
import type { ConsulQuery } from '../model/query.ts';
import { queryId } from '../model/query.ts';
import { planRender, type RenderPlan } from '../plan/render.ts';
import type { TemplateSpec } from '../plan/render-spec.ts';
import { correctOwnership, readDestination, removeStaleCandidates } from '../sink/file.ts';
import { resolveOwnership } from '../sink/ownership.ts';
import type { CatalogWatches } from '../source/catalog.ts';
import type { WatchEvent } from '../source/watch-state.ts';
import type { Outcome, Reconciler, Run } from './outcome.ts';
import { reloadConsumer, type Step, writeProven } from './renderer-apply.ts';
import { StageClock, type StageTimes } from './renderer-stages.ts';
import { digestOf, LiveTemplate } from './renderer-template.ts';

export interface RendererOptions {
  readonly specs: readonly TemplateSpec[];
  /** '' where none is set. */
  readonly environment: string;
  readonly watches: CatalogWatches;
  /** Wakes a template's key. */
  readonly wake: (name: string, hint: { readonly source: string; readonly event: string }) => void;
}

/** What the API shows of a template. */
export interface TemplateState {
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly state: 'new' | RenderPlan['kind'] | 'current' | 'failed';
  /** What it reads and has no answer for yet. */
  readonly missing: readonly string[];
  readonly dependencies: readonly string[];
  /** ISO 8601; of the last time its text was known. */
  readonly renderedAt: string | null;
  /** ISO 8601; of the last time its destination was replaced. */
  readonly writtenAt: string | null;
  readonly lastOutcome: Outcome | null;
  readonly lastStages: StageTimes;
}

interface Entry {
  readonly template: LiveTemplate;
  state: TemplateState['state'];
  renderedAt: string | null;
  writtenAt: string | null;
  text: string | undefined;
  lastOutcome: Outcome | null;
  lastStages: StageTimes;
  /** Candidates that a crashed run left were looked for. */
  swept: 'no' | 'yes';
}

/** Keeps each template's destination equal to what the template says of the world. One key a template, its name. */
export class Renderer implements Reconciler {
  readonly name = 'renderer';
  readonly #entries: ReadonlyMap<string, Entry>;

  constructor(options: RendererOptions) {
    this.#entries = new Map(
      options.specs.map((spec) => {
        const onChange = (query: ConsulQuery, event: WatchEvent) =>
          options.wake(spec.name, { source: 'consul', event: `${event} ${queryId(query)}` });
        const template = new LiveTemplate({ ...options, spec, onChange });
        return [spec.name, makeEntry(template)];
      }),
    );
  }

  async reconcile(run: Run): Promise<Outcome> {
    const entry = this.#entries.get(run.key);
    if (entry === undefined) throw new SwitchmasterError('not-found', `There is no template "${run.key}".`);
    const clock = new StageClock();
    let outcome: Outcome;
    try {
      outcome = await this.#reconcile({ entry, clock, run });
    } catch (thrown) {
      entry.state = 'failed';
      outcome = { kind: 'failed', error: SwitchmasterError.from(thrown), details: { stages: clock.times } };
    }
    entry.lastOutcome = outcome;
    entry.lastStages = clock.times;
    return outcome;
  }

  /** In the order of the config. */
  templates(): readonly TemplateState[] {
    return [...this.#entries.values()].map(showEntry);
  }

  template(name: string): TemplateState | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : showEntry(entry);
  }

  /** What was last rendered, whether or not it was written; undefined before the first time. */
  rendered(name: string): string | undefined {
    return this.#entries.get(name)?.text;
  }

  /** Reads every source again with the next run. */
  forgetSources(): void {
    for (const { template } of this.#entries.values()) template.forgetSource();
  }

  /** Lets go of every watch. */
  close(): void {
    for (const { template } of this.#entries.values()) template.release();
  }

  async #reconcile(input: { entry: Entry; clock: StageClock; run: Run }): Promise<Outcome> {
    const { entry, clock, run } = input;
    const { template } = entry;
    const { spec } = template;
    if (entry.swept === 'no') await removeStaleCandidates(spec.destination);
    entry.swept = 'yes';
    const rendering = await template.render();
    if (rendering.kind === 'rendered') {
      clock.reached('rendered');
      entry.text = rendering.text;
      entry.renderedAt = new Date().toISOString();
    }
    const present = await readDestination(spec.destination);
    const same = rendering.kind === 'rendered' && present !== undefined && digestOf(present.bytes) === rendering.digest;
    const file = present === undefined ? 'absent' : same ? 'same' : 'different';
    const plan = planRender({ rendering, file, memory: template.memory });
    entry.state = plan.kind === 'unchanged' ? 'current' : plan.kind;
    return this.#apply({ entry, plan, step: { spec, clock, signal: run.signal } });
  }

  async #apply(input: { entry: Entry; plan: RenderPlan; step: Step }): Promise<Outcome> {
    const { entry, plan, step } = input;
    const { destination } = step.spec;
    switch (plan.kind) {
      case 'pending':
        return { kind: 'held', summary: describePending(entry.template, plan.missing) };
      case 'invalid':
        return { kind: 'failed', error: plan.error };
      case 'held':
        return { kind: 'held', summary: `${destination} stays as it is. ${plan.reason}` };
      case 'unchanged': {
        const ownership = await correctOwnership(destination, await resolveOwnership(step.spec, step.signal));
        if (ownership === 'unchanged') return { kind: 'unchanged' };
        return { kind: 'applied', summary: `${destination} has its owner and mode again.` };
      }
      case 'write':
        await writeProven(step, plan.text);
        entry.writtenAt = new Date().toISOString();
        return this.#reload({ entry, step, summary: `${destination} was replaced` });
      case 'reload-only':
        return this.#reload({ entry, step, summary: `${destination} was as it should be` });
    }
  }

  async #reload(input: { entry: Entry; step: Step; summary: string }): Promise<Outcome> {
    const { entry, step } = input;
    const { template } = entry;
    // Owed until it is done: a daemon that fails or stops in between reloads although the file matches.
    template.memory = { ...template.memory, owed: { reason: 'The reload has not ended.' } };
    try {
      await reloadConsumer(step);
    } catch (thrown) {
      const { message } = SwitchmasterError.from(thrown);
      template.memory = { ...template.memory, owed: { reason: message } };
      throw thrown;
    }
    template.memory = { ...template.memory, owed: undefined };
    entry.state = 'current';
    const reloaded = step.spec.reload === undefined ? '' : ' and its consumer reloaded';
    return { kind: 'applied', summary: `${input.summary}${reloaded}.`, details: { stages: step.clock.times } };
  }
}

function makeEntry(template: LiveTemplate): Entry {
  return {
    template,
    state: 'new',
    renderedAt: null,
    writtenAt: null,
    text: undefined,
    lastOutcome: null,
    lastStages: {},
    swept: 'no',
  };
}

function showEntry(entry: Entry): TemplateState {
  const { spec, rendering, dependencies } = entry.template;
  return {
    name: spec.name,
    source: spec.source,
    destination: spec.destination,
    state: entry.state,
    missing: rendering.kind === 'pending' ? rendering.missing : [],
    dependencies,
    renderedAt: entry.renderedAt,
    writtenAt: entry.writtenAt,
    lastOutcome: entry.lastOutcome,
    lastStages: entry.lastStages,
  };
}

function describePending(template: LiveTemplate, missing: readonly string[]): string {
  const troubles = missing.flatMap((id) => template.troubles.get(id)?.message ?? []);
  return [`Waits for ${missing.join(', ')}.`, ...new Set(troubles)].join(' ');
}
