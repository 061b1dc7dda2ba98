import { SwitchmasterError } from '../errors.ts';
import { type ConsulQuery, queryId } from '../model/query.ts';
import { type GoodRendering, type ProvenRendering, planRender, type RenderPlan } from '../plan/render.ts';
import { defaultWait, type TemplateSpec } from '../plan/render-spec.ts';
import { tellsMasters } from '../plan/render-urgency.ts';
import { correctOwnership, type PresentFile, readDestination, removeStaleCandidates } from '../sink/file.ts';
import { resolveOwnership } from '../sink/ownership.ts';
import { readSidecar, type Sidecar, writeSidecar } from '../sink/sidecar.ts';
import { Supervisor, type SupervisorEvent } from '../sink/supervisor.ts';
import type { Watches } from '../source/catalog.ts';
import type { WatchEvent } from '../source/watch-state.ts';
import type { Outcome, Reconciler, Run } from './outcome.ts';
import { finishTakeOver, replaceFile, type Transaction } from './renderer-apply.ts';
import { type Entry, makeEntry, showEntry, type TemplateState } from './renderer-entry.ts';
import { Gathering } from './renderer-gathering.ts';
import type { RollingQueue } from './renderer-queue.ts';
import type { Step } from './renderer-reload.ts';
import { StageClock } from './renderer-stages.ts';
import { digestOf, LiveTemplate } from './renderer-template.ts';

export type { TemplateState } from './renderer-entry.ts';

export interface RendererOptions {
  readonly specs: readonly TemplateSpec[];
  /** '' where none is set. */
  readonly environment: string;
  readonly watches: Watches;
  /** Wakes a template's key. */
  readonly wake: (name: string, hint: { readonly source: string; readonly event: string }) => void;
  /** For `rolling`; without it, templates that ask for it do not queue. */
  readonly queue?: RollingQueue;
  /** What supervised programs write, and what becomes of them. */
  readonly onProgram?: (name: string, event: SupervisorEvent) => void;
}

/** Keeps each template's destination equal to what the template says of the world. One key a template, its name. */
export class Renderer implements Reconciler {
  readonly name = 'renderer';
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #wake: RendererOptions['wake'];
  readonly #queue: RollingQueue | undefined;

  constructor(options: RendererOptions) {
    this.#wake = options.wake;
    this.#queue = options.queue;
    this.#entries = new Map(options.specs.map((spec) => [spec.name, this.#open(spec, options)]));
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

  /** What the destination holds where that is another text than `rendered`; undefined where there is no file. */
  present(name: string): string | undefined {
    return this.#entries.get(name)?.present;
  }

  /** Releases the text that a guard holds now; another text is guarded again. Throws `not-found` where none is held. */
  approve(name: string): void {
    const { template, held } = this.#require(name);
    const { rendering, memory } = template;
    if (held === undefined || rendering.kind !== 'rendered') {
      throw new SwitchmasterError('not-found', `Nothing is held of the template "${name}".`);
    }
    template.memory = { ...memory, approved: rendering.digest };
    this.#wake(name, { source: 'operator', event: 'approve' });
  }

  /** Tries again by hand, also what was rolled back. */
  retry(name: string): void {
    const { template } = this.#require(name);
    template.memory = { ...template.memory, refused: undefined };
    this.#wake(name, { source: 'operator', event: 'render' });
  }

  /** Reads every source again with the next run. */
  forgetSources(): void {
    for (const { template } of this.#entries.values()) template.forgetSource();
  }

  /** Lets go of every watch and timer, and ends supervised programs. */
  async close(): Promise<void> {
    for (const { template, gathering } of this.#entries.values()) {
      template.release();
      gathering.close();
    }
    this.#queue?.close();
    await Promise.all([...this.#entries.values()].map(({ supervisor }) => supervisor?.stop()));
  }

  #open(spec: TemplateSpec, options: RendererOptions): Entry {
    const wake = (event: string) => options.wake(spec.name, { source: 'consul', event });
    const gathering = new Gathering(spec.wait ?? defaultWait, wake);
    const onChange = (query: ConsulQuery, event: WatchEvent) => {
      const text = `${event} ${queryId(query)}`;
      const news = template.heard(query);
      if (news === 'incomplete') return;
      if (news === 'complete' || tellsMasters(query) === 'masters') gathering.wakeNow(text);
      else gathering.changed(text);
    };
    const template = new LiveTemplate({ ...options, spec, onChange });
    const supervisor =
      spec.reload?.kind === 'supervise'
        ? new Supervisor({
            argv: spec.reload.command.argv.map((word) => word.replaceAll('{{file}}', spec.destination)),
            onEvent: (event) => options.onProgram?.(spec.name, event),
          })
        : undefined;
    return makeEntry({ template, gathering, supervisor });
  }

  #require(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new SwitchmasterError('not-found', `There is no template "${name}".`);
    return entry;
  }

  async #reconcile(input: { entry: Entry; clock: StageClock; run: Run }): Promise<Outcome> {
    const { entry, clock, run } = input;
    const { template, supervisor } = entry;
    const { spec } = template;
    await recollect(entry);
    const rendering = await template.render();
    if (rendering.kind === 'rendered') {
      clock.reached('rendered');
      entry.text = rendering.text;
      entry.renderedAt = new Date().toISOString();
    }
    const present = await readDestination(spec.destination);
    const same = rendering.kind === 'rendered' && present !== undefined && digestOf(present.bytes) === rendering.digest;
    entry.present = same ? undefined : present?.bytes.toString();
    const file = present === undefined ? 'absent' : same ? 'same' : 'different';
    const { memory, catalog } = template;
    const plan = planRender({ rendering, file, memory, catalog, guard: spec.guard ?? {} });
    entry.state = plan.kind === 'unchanged' ? 'current' : plan.kind;
    entry.held = plan.kind === 'held' ? plan.finding : undefined;
    const urgency = plan.kind === 'write' ? plan.urgency : 'ordinary';
    return this.#apply({ entry, plan, present, step: { spec, clock, signal: run.signal, supervisor, urgency } });
  }

  async #apply(input: {
    entry: Entry;
    plan: RenderPlan;
    present: PresentFile | undefined;
    step: Step;
  }): Promise<Outcome> {
    const { entry, plan, present, step } = input;
    const { template } = entry;
    const { destination } = step.spec;
    switch (plan.kind) {
      case 'pending':
        return { kind: 'held', summary: template.describeGaps(plan.missing) };
      case 'invalid':
        return { kind: 'failed', error: plan.error };
      case 'held': {
        const { guard, reason, lost } = plan.finding;
        const details = { guard, lost: lost.slice(0, 20), lostCount: lost.length };
        return { kind: 'held', summary: `${destination} stays as it is. ${reason}`, details };
      }
      case 'refused':
        return { kind: 'held', summary: `${destination} was rolled back and waits for another input. ${plan.reason}` };
      case 'unchanged':
        return this.#keep(entry, step);
      case 'write':
        return this.#inTurn(entry, { plan, present, step });
      case 'reload-only':
        return this.#settle(entry, {
          step,
          rendering: plan.rendering,
          summary: `${destination} was as it should be`,
          transaction: await finishTakeOver(step, plan.rendering),
        });
    }
  }

  /** An ordinary change waits for its turn among the nodes; the wait is an outcome, so that a failover finds no queue. */
  async #inTurn(entry: Entry, input: WriteInput): Promise<Outcome> {
    const { plan, step } = input;
    const { destination, rolling } = step.spec;
    const queues = rolling !== undefined && this.#queue !== undefined && plan.urgency === 'ordinary';
    if (!queues) return this.#write(entry, input);
    const turn = await this.#queue.take(step.spec, step.signal);
    if (turn.kind === 'wait') {
      entry.state = 'queued';
      const summary = `${destination} waits for its turn: ${turn.holders} of ${rolling.limit} nodes reload.`;
      return { kind: 'held', summary, retryAfterMs: turn.retryAfterMs };
    }
    try {
      return await this.#write(entry, input);
    } finally {
      await turn.leave();
    }
  }

  async #write(entry: Entry, input: WriteInput): Promise<Outcome> {
    const { plan, present, step } = input;
    const { template } = entry;
    const onSwapped = () => {
      entry.writtenAt = new Date().toISOString();
      // Owed until it is done: a run that fails or stops in between takes over although the file matches.
      template.memory = { ...template.memory, owed: { reason: 'The reload has not ended.' } };
    };
    return this.#settle(entry, {
      step,
      rendering: plan.rendering,
      summary: `${step.spec.destination} was replaced`,
      transaction: await replaceFile(step, { ...plan, present, memory: template.memory, onSwapped }),
    });
  }

  async #settle(
    entry: Entry,
    input: { step: Step; rendering: GoodRendering; summary: string; transaction: Transaction },
  ): Promise<Outcome> {
    const { step, rendering, transaction } = input;
    const { template } = entry;
    const details = { stages: step.clock.times };
    switch (transaction.kind) {
      case 'done': {
        await remember(entry, rendering);
        entry.present = undefined;
        entry.state = 'current';
        const reloaded = step.spec.reload === undefined ? '' : ' and its consumer reloaded';
        return { kind: 'applied', summary: `${input.summary}${reloaded}.`, details };
      }
      case 'rolled-back': {
        const { message } = transaction.error;
        const refused = { digest: rendering.digest, reason: message };
        template.memory = { ...template.memory, owed: undefined, refused };
        // The rollback is what is told, whether or not a later daemon will know of it.
        await rememberRefused(entry, refused).catch(() => undefined);
        entry.state = 'refused';
        return { kind: 'failed', error: transaction.error, details };
      }
      case 'owed':
        template.memory = { ...template.memory, owed: { reason: transaction.error.message } };
        entry.state = 'failed';
        return { kind: 'failed', error: transaction.error, details };
    }
  }

  /** Nothing changed: what it was taken over from an earlier daemon becomes the last good state of this one. */
  async #keep(entry: Entry, step: Step): Promise<Outcome> {
    const { template, supervisor } = entry;
    const { destination } = step.spec;
    if (template.rendering.kind === 'rendered') {
      const known = template.memory.proven?.digest === template.rendering.digest && template.catalog === 'steady';
      if (!known) await remember(entry, template.rendering);
    }
    if (supervisor !== undefined && supervisor.pid === undefined) await supervisor.start();
    const ownership = await correctOwnership(destination, await resolveOwnership(step.spec, step.signal));
    if (ownership === 'unchanged') return { kind: 'unchanged' };
    return { kind: 'applied', summary: `${destination} has its owner and mode again.` };
  }
}

interface WriteInput {
  readonly plan: RenderPlan & { kind: 'write' };
  readonly present: PresentFile | undefined;
  readonly step: Step;
}

/** Before the first run: what a daemon before this one left. */
async function recollect(entry: Entry): Promise<void> {
  if (entry.opened === 'yes') return;
  const { template } = entry;
  const { destination } = template.spec;
  await removeStaleCandidates(destination);
  const former = await readSidecar(destination);
  if (former !== undefined) {
    template.restore(former);
    const present = await readDestination(destination);
    if (present !== undefined && digestOf(present.bytes) !== former.digest) {
      template.memory = {
        ...template.memory,
        owed: { reason: 'The daemon ended before its consumer had taken it over.' },
      };
    }
  }
  entry.opened = 'yes';
}

/** The rendering took effect. It is kept on disk where a later daemon would need it: for guards, and for what is owed. */
async function remember(entry: Entry, rendering: GoodRendering): Promise<void> {
  const { template } = entry;
  const { spec } = template;
  template.prove(rendering);
  if (rendering.members.length === 0 && spec.reload === undefined && spec.verify === undefined) return;
  await writeSidecar(spec.destination, sidecarOf(rendering, template.indexes));
}

/** For a daemon after this one, which would else try it at its start. */
async function rememberRefused({ template }: Entry, refused: NonNullable<Sidecar['refused']>): Promise<void> {
  const { destination } = template.spec;
  const present = await readDestination(destination);
  if (present === undefined) return;
  const unknown = { digest: digestOf(present.bytes), members: [], masters: new Map<string, string>() };
  await writeSidecar(destination, { ...sidecarOf(template.memory.proven ?? unknown, template.indexes), refused });
}

function sidecarOf({ digest, members, masters }: ProvenRendering, indexes: Sidecar['indexes']): Sidecar {
  return { digest, members, masters: Object.fromEntries(masters), indexes };
}
