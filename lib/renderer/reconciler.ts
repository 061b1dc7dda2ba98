import type { WatchEvent } from '../consul/watch-state.ts';
import type { Watches } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { redactOutcome } from '../loop/redacted-outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { type ConsulQuery, queryId } from '../model/query.ts';
import type { Redactor } from '../model/redaction.ts';
import { defaultWait, type TemplateSpec } from '../model/template-spec.ts';
import type { TextReader } from '../model/text-reader.ts';
import { type PresentFile, readDestination } from './apply/file.ts';
import { Supervisor, type SupervisorEvent } from './apply/supervisor.ts';
import { Debouncer } from './debounce.ts';
import { type Entry, makeEntry, showEntry, type TemplateState, ticketOf } from './entry.ts';
import { recollect } from './memory.ts';
import { carryOut } from './outcome.ts';
import { planRender } from './plan/render.ts';
import { namesMasters } from './plan/urgency.ts';
import type { RollingQueue } from './rolling-queue.ts';
import { StageClock } from './stages.ts';
import { digestOf, LiveTemplate } from './template.ts';

export type { TemplateState } from './entry.ts';

/** Whom a text is for: `anybody` sees it without what `file` and `env` gave. */

export interface RendererOptions {
  readonly specs: readonly TemplateSpec[];
  /** '' where none is set. */
  readonly environment: string | undefined;
  readonly watches: Watches;
  /** Secrets of the config, which nothing that is told may hold. Default: none. */
  readonly secrets?: readonly string[];
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
    outcome = redactOutcome(outcome, entry.template.redactor);
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
  rendered(name: string, reader: TextReader = 'token-holder'): string | undefined {
    const entry = this.#entries.get(name);
    return reader === 'anybody' ? redactText(entry, entry?.shown?.text) : entry?.text;
  }

  /**
   * What the destination holds where that is another text than `rendered`; undefined where there is no file. Where
   * `file` or `env` gave something, or the file is its consumer's own, nobody can tell what of it is secret: then
   * anybody is shown none.
   */
  present(name: string, reader: TextReader = 'token-holder'): string | undefined {
    const entry = this.#entries.get(name);
    if (reader === 'token-holder') return entry?.present;
    const open = entry?.template.shown?.holds === 'nothing-secret' && entry.template.spec.upkeep !== 'seed';
    return open ? redactText(entry, entry.present) : undefined;
  }

  /** What may not be told of a template. */
  redactor(name: string): Redactor | undefined {
    return this.#entries.get(name)?.template.redactor;
  }

  /**
   * Releases the text that a guard holds now; another text is guarded again. Throws `not-found` where none is held, and
   * `approve-refused` where it is not the one of `digest`: what is approved is what was looked at.
   */
  approve(name: string, { digest }: { readonly digest?: string } = {}): void {
    const { template, held: finding } = this.#require(name);
    const { rendering, memory } = template;
    if (finding === undefined || rendering.kind !== 'rendered') {
      throw new SwitchmasterError('not-found', `Nothing is held of the template "${name}".`);
    }
    const held = ticketOf(rendering.digest);
    if (digest !== undefined && digest !== held) {
      const message = `The text that is held of "${name}" is another one by now. Look at it, and approve again.`;
      throw new SwitchmasterError('approve-refused', message, { details: { held } });
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

  /** Hands a signal on to every supervised program that runs. */
  forward(signal: NodeJS.Signals): void {
    for (const { supervisor } of this.#entries.values()) supervisor?.forward(signal);
  }

  /** Before {@link close}, while runs may be in flight: a supervised program that ends is not started again by itself. */
  retire(): void {
    for (const { supervisor } of this.#entries.values()) supervisor?.retire();
  }

  /** Lets go of every watch and timer, and ends supervised programs. */
  async close(): Promise<void> {
    for (const { template, debouncer } of this.#entries.values()) {
      template.release();
      debouncer.close();
    }
    this.#queue?.close();
    await Promise.all([...this.#entries.values()].map(({ supervisor }) => supervisor?.stop()));
  }

  #open(spec: TemplateSpec, options: RendererOptions): Entry {
    const wake = (event: string) => options.wake(spec.name, { source: 'consul', event });
    const debouncer = new Debouncer(spec.wait ?? defaultWait, wake);
    const onChange = (query: ConsulQuery, event: WatchEvent) => {
      const text = `${event} ${queryId(query)}`;
      const news = template.heard(query);
      if (news === 'incomplete') return;
      if (news === 'complete' || namesMasters(query) === 'masters') {
        entry.pace = 'at-once';
        debouncer.wakeNow(text);
      } else debouncer.changed(text);
    };
    const template = new LiveTemplate({ ...options, spec, onChange });
    const supervisor = makeSupervisor(template, options);
    const entry = makeEntry({ template, debouncer, supervisor });
    return entry;
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
    // The file is read by others while this thread renders.
    const [present, rendering] = await Promise.all([readDestination(spec.destination), template.render()]);
    if (rendering.kind === 'rendered') {
      clock.reached('rendered');
      entry.text = rendering.text;
      entry.shown = template.shown;
      entry.renderedAt = new Date().toISOString();
    }
    entry.mode = modeOf(spec, present);
    const same = rendering.kind === 'rendered' && present !== undefined && digestOf(present.bytes) === rendering.digest;
    entry.present = same ? undefined : present?.bytes.toString();
    const file = present === undefined ? 'absent' : same ? 'same' : 'different';
    const { memory, catalog } = template;
    const plan = planRender({
      rendering,
      file,
      memory,
      catalog,
      guard: spec.guard ?? {},
      upkeep: spec.upkeep ?? 'kept',
    });
    const { pace } = entry;
    entry.pace = 'gathered';
    if (plan.kind === 'write' && plan.urgency === 'ordinary' && pace === 'at-once') return gatherFirst(entry);
    entry.state = plan.kind === 'unchanged' || plan.kind === 'left' ? 'current' : plan.kind;
    entry.held = plan.kind === 'held' ? plan.finding : undefined;
    const urgency = plan.kind === 'write' ? plan.urgency : 'ordinary';
    const step = { spec, clock, signal: run.signal, supervisor, urgency } as const;
    return carryOut(entry, { plan, present, queue: this.#queue, step });
  }
}

function redactText(entry: Entry | undefined, text: string | undefined): string | undefined {
  return text === undefined ? undefined : entry?.template.redactor.redactWhole(text);
}

/** Only what both the config and the file let others read is for everybody. */
function modeOf({ mode }: TemplateSpec, present: PresentFile | undefined): number {
  return (mode ?? 0o777) & (present?.mode ?? mode ?? 0o644);
}

function makeSupervisor({ spec, redactor }: LiveTemplate, options: RendererOptions): Supervisor | undefined {
  const { name, destination, reload } = spec;
  if (reload?.kind !== 'supervise') return undefined;
  const { command, stopSignal, stopTimeoutMs } = reload;
  return new Supervisor({
    argv: command.argv.map((word) => word.replaceAll('{{file}}', destination)),
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(stopTimeoutMs === undefined ? {} : { stopTimeoutMs }),
    onEvent: (event) => options.onProgram?.(name, redactor.redactAll(event)),
  });
}

/**
 * Masters that come or go are gathered like any other change: while the first records come in one by one, twemproxy
 * would be restarted with some of its shards, and keys would go to the wrong ones.
 */
function gatherFirst(entry: Entry): Outcome {
  entry.state = 'pending';
  entry.debouncer.changed('gathered');
  return { kind: 'held', summary: 'gathers what else changes', retryAfterMs: gatheringLimitMs };
}

/** The debouncer wakes it long before; this is for a debouncer that is closed. */
const gatheringLimitMs = 1_000;
