import type { Decisions } from '../consul/decisions.ts';
import { trustRecords } from '../consul/trust-records.ts';
import type { Watches } from '../consul/watches.ts';
import type { TemplateControls, TemplateState, TemplatesView } from '../http/views.ts';
import { Loop } from '../loop/loop.ts';
import type { RunReport } from '../loop/outcome.ts';
import { redactReport } from '../loop/redacted-outcome.ts';
import { usualResyncMs } from '../loop/resync.ts';
import type { Publish } from '../model/publish.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import type { Part, Readiness, ReloadCause } from '../part.ts';
import type { Log } from '../telemetry/log.ts';
import { ShellPool, usualCalmMs } from './apply/shell/pool.ts';
import { poolSize } from './apply/shell/pool-size.ts';
import type { RenderHint } from './hint.ts';
import { makeProgramLog } from './program-log.ts';
import { Renderer, type RendererOptions, type TemplateState as RendererState } from './reconciler.ts';
import { RollingQueue, type RollingQueueOptions } from './rolling-queue.ts';

export interface RendererPartOptions {
  readonly specs: readonly TemplateSpec[];
  readonly environment: string | undefined;
  readonly publish?: Publish;
  readonly watches: Watches;
  /** The decisions of this node's bridge. */
  readonly decisions?: Decisions;
  /** Secrets of the config, which no report may contain. */
  readonly secrets?: readonly string[];
  /** What goes before the answers of Consul's blocking queries. Default: nothing does. */
  readonly precedence?: RendererOptions['precedence'];
  /** For templates with `rolling`. */
  readonly rolling?: Pick<RollingQueueOptions, 'client' | 'holder' | 'ttlMs'>;
  readonly onReport: (report: RunReport) => void;
  /** How long the bridge of this node has had nothing to do, in milliseconds. Default: there is none. */
  readonly quietMs?: () => number;
  /** Gets what supervised programs write, their starts and their ends. Default: nothing does. */
  readonly log?: Log;
  /** How often each template is reconciled without a hint. Default: the loop's. */
  readonly resyncMs?: number;
}

/** The templates and their loop: the part for the `templates` section of the config. */
export class RendererPart implements Part {
  readonly name = 'renderer';
  readonly renderer: Renderer;
  readonly templates: TemplatesView = {
    list: () => this.renderer.templates().map(toState),
    get: (name) => {
      const state = this.renderer.template(name);
      return state === undefined ? undefined : toState(state);
    },
    rendered: (name, reader) => this.renderer.rendered(name, reader),
    present: (name, reader) => this.renderer.present(name, reader),
  };
  readonly templateControls: TemplateControls = {
    render: (name) => this.renderer.retry(name),
    approve: (name, options) => this.renderer.approve(name, options),
  };
  readonly #specs: readonly TemplateSpec[];
  readonly #loop: Loop<RenderHint>;
  readonly #settled = new Set<string>();
  readonly #shells: ShellPool;
  readonly #unlisten: (() => void) | undefined;

  constructor(options: RendererPartOptions) {
    this.#specs = options.specs;
    const { rolling, log, environment, secrets = [], quietMs = () => Number.POSITIVE_INFINITY } = options;
    const trust = trustRecords(options);
    const wake: RendererOptions['wake'] = (name, hint) => this.#loop.wake(name, hint);
    this.#shells = new ShellPool({
      size: poolSize(options.specs),
      isCalm: () => Math.min(this.#loop.quietMs, quietMs()) > usualCalmMs,
      onOff: () => log?.info('no shells wait for commands any more'),
    });
    this.renderer = new Renderer({
      shells: this.#shells,
      specs: options.specs,
      environment,
      ...(options.publish === undefined ? {} : { publish: options.publish }),
      ...trust,
      secrets,
      wake,
      precedence: options.precedence,
      ...(log === undefined ? {} : { onProgram: makeProgramLog(log) }),
      ...(rolling === undefined
        ? {}
        : { queue: new RollingQueue({ ...rolling, watches: trust.watches, environment, wake }) }),
    });
    this.#unlisten = options.decisions?.expectations.listen({
      begun: (expected) => (this.isIdle ? this.renderer.expect(expected) : undefined),
      ended: (expected) => this.renderer.expectNoMore(expected),
    });
    this.#loop = new Loop<RenderHint>({
      reconciler: this.renderer,
      resyncMs: options.resyncMs ?? usualResyncMs,
      onReport: (report) => {
        this.#settle(report.key);
        const redactor = this.renderer.redactor(report.key);
        const shown = redactor === undefined ? report : redactReport(report, redactor);
        options.onReport(sinceWoken(shown));
      },
    });
  }

  start(): void {
    for (const { name } of this.#specs) this.#loop.wake(name, { source: 'daemon', event: 'start' });
  }

  /** At an order, reads the template files again: somebody may have edited them. */
  refresh(cause: ReloadCause): void {
    if (cause === 'order') {
      this.renderer.forgetSources();
      if (!this.#shells.isNew) this.#shells.open();
    }
    this.wake('all', { source: 'operator', event: 'reload' });
  }

  forward(signal: NodeJS.Signals): void {
    this.renderer.forward(signal);
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    this.#unlisten?.();
    this.renderer.retire();
    this.#shells.close();
    await this.#loop.stop(options);
    await this.renderer.close();
  }

  /** Ready when each template was rendered and reconciled once, with whatever outcome. */
  ready(): Readiness {
    const waiting = this.renderer.templates().filter(({ name }) => !this.#settled.has(name));
    if (waiting.length === 0) return { ready: true };
    return { ready: false, missing: waiting.map((template) => `template ${template.name} (${whyNot(template)})`) };
  }

  state(): unknown {
    return this.templates.list();
  }

  /** Whether no template is being reconciled. */
  get isIdle(): boolean {
    return this.#loop.isIdle;
  }

  /** Reconciles one template, or all, as soon as possible. */
  wake(name: string | 'all', hint: { readonly source: string; readonly event: string }): void {
    if (name === 'all') this.#loop.wakeAll(hint);
    else this.#loop.wake(name, hint);
  }

  #settle(name: string): void {
    const template = this.renderer.template(name);
    const state = template?.state;
    if (template?.renderedAt != null && state !== 'pending' && state !== 'debounced') this.#settled.add(name);
    if (this.#shells.isNew && this.ready().ready) this.#shells.open();
  }
}

/** Makes the stages, which the renderer reports as points in time, relative to the first hint. */
function sinceWoken(report: RunReport): RunReport {
  const { outcome } = report;
  const stages = outcome.details?.stages as Readonly<Record<string, number>> | undefined;
  if (stages === undefined) return report;
  const wokenMs = Math.min(report.startedMs, ...report.hints.map(({ receivedMs }) => receivedMs));
  const relative = Object.entries(stages).map(([stage, ms]) => [stage, Math.round((ms - wokenMs) * 100) / 100]);
  return {
    ...report,
    outcome: { ...outcome, details: { ...outcome.details, stages: Object.fromEntries(relative) } } as typeof outcome,
  };
}

function whyNot({ missing, lastOutcome }: RendererState): string {
  if (lastOutcome?.kind === 'failed') return lastOutcome.error.message;
  return missing.length === 0 ? 'not rendered yet' : `waits for ${missing.join(', ')}`;
}

function toState(state: RendererState): TemplateState {
  const { lastOutcome: _, lastStages, ...shown } = state;
  const stages = Object.entries(lastStages).map(([stage, ms]) => [stage, performance.timeOrigin + ms] as const);
  return { ...shown, stages: Object.fromEntries(stages) };
}
