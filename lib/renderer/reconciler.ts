import { SwitchmasterError } from '../errors.ts';
import type { Outcome } from '../loop/outcome.ts';
import { redactOutcome } from '../loop/redacted-outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import type { ExpectedMaster } from '../model/expected-master.ts';
import type { Redactor } from '../model/redaction.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import type { TextReader } from '../model/text-reader.ts';
import type { UntrustedRecord } from '../model/trust.ts';
import {
  addWarnings,
  type Entry,
  presentText,
  publicDigest,
  renderedText,
  showEntry,
  type TemplateState,
  warningsOf,
} from './entry.ts';
import { isExpectation, isMasterChange, type RenderHint } from './hint.ts';
import { renderLatest } from './latest-rendering.ts';
import { type OpenOptions, openEntry } from './open-entry.ts';
import { carryOut } from './outcome.ts';
import { chooseEntries, endPreparation, expectNothing, isPreparation, prepare } from './preparation.ts';
import { RenderOrder, type RenderOrderOptions } from './render-order.ts';
import type { RollingQueue } from './rolling-queue.ts';
import { loadState } from './saved-state.ts';
import { planEntry, showRendering } from './seen.ts';
import { StageClock } from './stages.ts';
import { type RunContext, readOrMove, rereadLater, tryRead } from './unread.ts';

export type { TemplateState } from './entry.ts';

export interface RendererOptions extends OpenOptions {
  readonly specs: readonly TemplateSpec[];
  /** For `rolling`. Without it, templates with `rolling` do not queue. */
  readonly queue?: RollingQueue;
  /** What goes before the answers of Consul's blocking queries. Default: nothing does. */
  readonly precedence?: RenderOrderOptions['answers'];
  /** Masters whose records in Consul are not followed. Default: none. */
  readonly heldRecords?: () => readonly UntrustedRecord[];
  /** Receives the records that a daemon before this one followed. */
  readonly rememberRecords?: Parameters<typeof loadState>[1];
}

/** The pause of the old master's writes comes first. The promotion follows the selection after 50 ms or more. */
const preparationDelayMs = 10;

/** A run waits so long at most for a debouncer that was closed. The debouncer itself wakes the template sooner. */
const debounceLimitMs = 1_000;

/** Keeps each template's destination equal to what the template renders to. A key is a template's name. */
export class Renderer implements Reconciler<RenderHint> {
  readonly name = 'renderer';
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #options: RendererOptions;
  readonly #order: RenderOrder;

  constructor(options: RendererOptions) {
    this.#options = options;
    this.#order = new RenderOrder({ answers: options.precedence });
    this.#entries = new Map(options.specs.map((spec) => [spec.name, openEntry(spec, options)]));
  }

  async reconcile(run: Run<RenderHint>): Promise<Outcome> {
    const entry = this.#require(run.key);
    if (isPreparation(entry, run)) return prepare(entry, run);
    const clock = new StageClock();
    const warnings: string[] = [];
    const warn = (warning: string) => warnings.push(warning);
    let outcome: Outcome;
    try {
      const work = () => this.#reconcile(entry, { clock, run, warn });
      outcome = await this.#order.run({ spec: entry.template.spec, run, clock }, work);
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      entry.state = error.code === 'template-invalid' ? 'invalid' : 'failed';
      outcome = { kind: 'failed', error, details: { stages: clock.times } };
    }
    const shown = addWarnings(outcome, [...warningsOf(entry), ...new Set(warnings)]);
    outcome = redactOutcome(endPreparation(entry, { outcome: shown, clock }), entry.template.redactor);
    entry.lastOutcome = outcome;
    entry.lastStages = clock.times;
    rereadLater(entry);
    return outcome;
  }

  isUrgent(hint: RenderHint): boolean {
    return isMasterChange(hint);
  }

  delayMs(hint: RenderHint): number {
    return isExpectation(hint) ? preparationDelayMs : 0;
  }

  /** A failover begins. Some files may be prepared for it: nothing shows them, and no run but the one that wants the same uses them. */
  expect(expected: ExpectedMaster): void {
    for (const entry of chooseEntries([...this.#entries.values()], expected)) {
      entry.expected = expected;
      this.#options.wake(entry.template.spec.name, { source: 'bridge', event: 'failover began', kind: 'expectation' });
    }
  }

  /** What was prepared for this failover is not needed any more. */
  expectNoMore(expected: ExpectedMaster): void {
    for (const entry of this.#entries.values()) {
      if (entry.expected !== expected) continue;
      expectNothing(entry);
      this.#options.wake(entry.template.spec.name, { source: 'bridge', event: 'failover ended', kind: 'expectation' });
    }
  }

  /** In the order of the config. */
  templates(): readonly TemplateState[] {
    return [...this.#entries.values()].map(showEntry);
  }

  template(name: string): TemplateState | undefined {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : showEntry(entry);
  }

  /** See {@link renderedText}. */
  async rendered(name: string, reader: TextReader = 'token-holder'): Promise<string | undefined> {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : renderedText(entry, reader);
  }

  /** See {@link presentText}. */
  async present(name: string, reader: TextReader = 'token-holder'): Promise<string | undefined> {
    const entry = this.#entries.get(name);
    return entry === undefined ? undefined : presentText(entry, reader);
  }

  /** Removes a template's secrets from texts. */
  redactor(name: string): Redactor | undefined {
    return this.#entries.get(name)?.template.redactor;
  }

  /**
   * Releases the text that a guard holds now. Throws `not-found` when no text is held, and `approve-refused` when
   * `digest` names another text, which the operator reviewed.
   */
  approve(name: string, { digest }: { readonly digest?: string } = {}): void {
    const { template, held: finding } = this.#require(name);
    const { rendering } = template;
    if (finding === undefined || rendering.kind !== 'rendered') {
      throw new SwitchmasterError('not-found', `No text of the template "${name}" is held.`);
    }
    const held = publicDigest(rendering.digest);
    if (digest !== undefined && digest !== held) {
      const message = `The held text of "${name}" has changed. Review it, and approve it again.`;
      throw new SwitchmasterError('approve-refused', message, { details: { held } });
    }
    this.#options.wake(name, { source: 'operator', event: 'approve', kind: 'approve', digest: rendering.digest });
  }

  /** Tries again, also a text that was rolled back. */
  retry(name: string): void {
    this.#require(name);
    this.#options.wake(name, { source: 'operator', event: 'render', kind: 'retry' });
  }

  /** Compiles every source again with its next run. */
  forgetSources(): void {
    for (const entry of this.#entries.values()) {
      // A check may have read what was edited.
      expectNothing(entry);
      entry.template.forgetSource();
    }
  }

  /** Forwards a signal to every supervised program that runs. */
  forward(signal: NodeJS.Signals): void {
    for (const { supervisor } of this.#entries.values()) supervisor?.forward(signal);
  }

  /** Before {@link close}, while runs may be in flight: a supervised program that ends is not started again. */
  retire(): void {
    for (const entry of this.#entries.values()) {
      expectNothing(entry);
      entry.supervisor?.retire();
      entry.splay.end();
      entry.template.retire();
    }
  }

  /** Ends watches, timers and supervised programs. */
  async close(): Promise<void> {
    for (const { template, debouncer, known } of this.#entries.values()) {
      template.release();
      debouncer.close();
      known.close();
    }
    await this.#options.queue?.close();
    await Promise.all(
      [...this.#entries.values()].flatMap(({ supervisor, prepared }) => [supervisor?.stop(), prepared?.discard()]),
    );
  }

  #require(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new SwitchmasterError('not-found', `There is no template "${name}".`);
    return entry;
  }

  async #reconcile(entry: Entry, context: RunContext): Promise<Outcome> {
    const { clock, run, warn } = context;
    const { template, supervisor, reloads, splay, shells } = entry;
    const { spec } = template;
    await loadState(entry, (former) => this.#options.rememberRecords?.(former));
    for (const hint of run.hints) takeHint(entry, hint);
    const reading = tryRead(entry, run);
    const rendering = await renderLatest(template, run);
    if (rendering.kind === 'rendered') clock.reached('rendered');
    const read = await readOrMove(entry, { reading, rendering, ...context });
    if (read.kind === 'unread') throw read.error;
    const { present } = read;
    const { signal, interrupted } = run;
    const plan = await planEntry(entry, { present, rendering });
    showRendering(entry, { present, rendering });
    const urgency = plan.kind === 'write' ? plan.urgency : 'ordinary';
    const early = run.hints.some(({ kind }) => kind === 'masters');
    if (plan.kind === 'write' && urgency === 'ordinary' && early) return debounceWrite(entry);
    entry.state = plan.kind === 'unchanged' || plan.kind === 'left' ? 'current' : plan.kind;
    entry.held = plan.kind === 'held' ? plan.finding : undefined;
    const step = { spec, clock, signal, interrupted, supervisor, urgency, reloads, splay, shells, warn } as const;
    const readsRecords = rendering.kind === 'rendered' && rendering.records === 'read';
    const heldRecords = readsRecords ? (this.#options.heldRecords?.() ?? []) : [];
    return carryOut(entry, { plan, present, queue: this.#options.queue, step, heldRecords });
  }
}

/** Applies what an operator decided. */
function takeHint({ memory, template }: Entry, hint: RenderHint): void {
  if (hint.kind === 'approve') memory.approve(hint.digest);
  if (hint.kind !== 'retry') return;
  memory.allowRefused();
  template.forgetFiles();
}

/**
 * New and removed masters are debounced like any other change. The first records come one by one: without this,
 * twemproxy would restart with some of its shards, and clients would write keys to the wrong ones.
 */
function debounceWrite(entry: Entry): Outcome {
  entry.state = 'debounced';
  entry.debouncer.changed('debounced');
  return { kind: 'held', summary: 'Waits for further changes.', retryAfterMs: debounceLimitMs };
}
