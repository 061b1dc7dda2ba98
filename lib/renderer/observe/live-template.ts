import type { WatchEvent } from '../../consul/watch-state.ts';
import type { Watches } from '../../consul/watches.ts';
import { FileWatch } from '../../file-watch.ts';
import type { ExpectedMaster } from '../../model/expected-master.ts';
import { recordPrefix } from '../../model/naming.ts';
import type { Publish } from '../../model/publish.ts';
import { type ConsulQuery, queryId } from '../../model/query.ts';
import { Redactor } from '../../model/redaction.ts';
import type { TemplateSpec } from '../../model/template-spec.ts';
import { endlessReads } from '../../template/bounded/limits.ts';
import { inSlices } from '../../template/bounded/loop-turns.ts';
import type { BoundedTemplate } from '../../template/bounded/template.ts';
import type { RenderResult } from '../../template/render.ts';
import type { RenderWorld } from '../../template/scope.ts';
import { addHead } from '../head.ts';
import type { GoodRendering, Rendering } from '../plan/rendering.ts';
import { mastersOf, type Urgency, urgencyOf } from '../plan/urgency.ts';
import { renderExpected } from './expected-rendering.ts';
import { Gaps } from './gaps.ts';
import { findHaproxyDefaults } from './haproxy-defaults.ts';
import { IndexHistory } from './index-history.ts';
import { Inputs } from './inputs.ts';
import { RenderTime } from './render-time.ts';
import { type ShownText, toRendering } from './rendering.ts';
import { olderOf, type SeenAnswers } from './seen-answers.ts';
import { compileSource, FileTexts, templateName } from './source.ts';

/** How often one render may start again because what it has read names more to read. */
const maxPasses = 32;

/** How many unanswered queries a message names. */
const shownGaps = 5;

export interface LiveTemplateOptions {
  readonly spec: TemplateSpec;
  readonly environment: string | undefined;
  /** Default: clients use the addresses in the records. */
  readonly publish?: Publish;
  readonly watches: Watches;
  /** Secrets of the config. */
  readonly secrets?: readonly string[];
  readonly onChange: (query: ConsulQuery, event: WatchEvent) => void;
  /** A file that it reads by `file` changed, appeared or vanished. Without it, nothing watches the files. */
  readonly onFileChange?: () => void;
  /** Whether any record is not followed now. Default: none. */
  readonly holdsRecords?: () => boolean;
}

/** One template, compiled, with its watches and its last rendering. Only the run for its key renders it. */
export class LiveTemplate {
  readonly spec: TemplateSpec;
  /** Knows what `file` and `env` have given so far, and the config's secrets. */
  readonly redactor = new Redactor();
  readonly history: IndexHistory;
  readonly #options: LiveTemplateOptions;
  readonly #inputs: Inputs;
  readonly #time: RenderTime;
  #rendering: Rendering = { kind: 'pending', missing: [] };
  #seen: SeenAnswers = { versions: new Map(), records: [], heldRecords: false };
  #shown: ShownText | undefined;
  readonly #gaps: Gaps;
  #compiled: BoundedTemplate | undefined;
  /** May be in use by a render until the next one begins. */
  #former: BoundedTemplate | undefined;
  #fileWatch: FileWatch | undefined;
  readonly #files: FileTexts;

  constructor(options: LiveTemplateOptions) {
    this.spec = options.spec;
    this.#options = options;
    this.#inputs = new Inputs(options);
    this.#gaps = new Gaps(this.#inputs);
    this.#files = new FileTexts(options.spec.sandboxPath);
    this.#time = new RenderTime(options.spec.destination);
    this.history = new IndexHistory(this.#inputs);
    this.redactor.learn(options.secrets ?? []);
  }

  /** What it last rendered to, whether or not that was written. */
  get rendering(): Rendering {
    return this.#rendering;
  }

  /** What the last rendering was made from. Where an answer came while it was rendered, the one before it. */
  get seen(): SeenAnswers {
    return this.#seen;
  }

  /** The last rendered text as anybody may see it; undefined when the last render gave none. */
  get shown(): ShownText | undefined {
    return this.#shown;
  }

  /** Ids of what it reads, sorted. */
  get dependencies(): readonly string[] {
    return this.#inputs.ids;
  }

  /** `master-change` when the records that are known now move a master of the last rendering. */
  get newUrgency(): Urgency {
    const prefix = recordPrefix({ environment: this.#options.environment });
    const answer = this.#inputs.peek({ kind: 'key-tree', prefix });
    if (answer === undefined || this.#rendering.kind !== 'rendered') return 'ordinary';
    return urgencyOf(this.#rendering, { masters: mastersOf(answer, prefix) });
  }

  /** `master-change` when a master moved while the last render was under way, and the rendering has the former one. */
  get missedUrgency(): Urgency {
    return this.#gaps.changed.size === 0 ? 'ordinary' : this.newUrgency;
  }

  /** Sentences that name what it waits for and why there is no answer. */
  describeGaps(missing: readonly string[]): string {
    const more = missing.length > shownGaps ? ` and ${missing.length - shownGaps} more` : '';
    const waits = `Waits for ${missing.slice(0, shownGaps).join(', ')}${more}.`;
    return [waits, ...this.#inputs.errorsOf(missing).slice(0, shownGaps)].join(' ');
  }

  /**
   * Records that an input changed, and says what that means. `complete`: the last missing answer is there. `incomplete`:
   * more answers are missing, so rendering would give nothing; ten thousand answers cost one render.
   */
  noteChange(query: ConsulQuery): 'complete' | 'incomplete' | 'changed' {
    return this.#gaps.note(queryId(query));
  }

  /** Compiles the source again with the next render, and reads its files again. */
  forgetSource(): void {
    this.#former ??= this.#compiled;
    this.#compiled = undefined;
    this.forgetFiles();
  }

  /** Reads the files again with the next render. Otherwise it waits until a change of them has lasted for some seconds. */
  forgetFiles(): void {
    this.#files.renew();
  }

  /** Renders with what is known now. Starts watches on what it newly reads and ends those that it no longer needs. */
  async render(): Promise<Rendering> {
    await this.#gaps.during(async () => {
      // Answers that came after they were looked up may be all that were missing.
      for (let pass = 1; pass === 1 || (this.#gaps.areClosed && pass <= maxPasses); pass++) await this.#renderOnce();
    });
    return this.#rendering;
  }

  /** What it will render to with this master; undefined where that is not known. No state of the template shows it. */
  async renderExpected(expected: ExpectedMaster): Promise<GoodRendering | undefined> {
    const prefix = recordPrefix({ environment: this.#options.environment });
    const [compiled, inputs, world] = [this.#compiled, this.#inputs, this.#world()];
    return compiled && renderExpected({ expected, prefix, compiled, inputs, world, spec: this.spec });
  }

  async #renderOnce(): Promise<void> {
    this.#compiled ??= await this.#compile();
    const compiled = this.#compiled;
    this.#files.retry();
    const before = this.#answers();
    const result = await this.#time.render((now) => this.#renderAll(compiled, { ...this.#world(), now }));
    // The config's secrets count as the newest: their parts are removed also where the template's own ones are many.
    await inSlices(this.redactor.learning([...result.secrets, ...(this.#options.secrets ?? [])]));
    const warnings = [...result.warnings, ...this.#files.problems];
    this.#take(result, { before, rendering: await toRendering({ ...result, warnings }, this.spec) });
    if (result.kind === 'rendered') {
      this.#files.keepOnly(result.files);
      this.#inputs.forgetFormer();
    }
    this.#watchFiles(result.files);
  }

  async #compile(): Promise<BoundedTemplate> {
    const former = this.#former;
    former?.close();
    this.#former = undefined;
    return compileSource(this.spec, former);
  }

  /** Before {@link release}, while a render may be under way: it must not hold up the end of the daemon. */
  retire(): void {
    this.#compiled?.close();
  }

  release(): void {
    this.#inputs.release();
    this.#compiled?.close();
    this.#former?.close();
    this.#fileWatch?.close();
  }

  #watchFiles(paths: readonly string[]): void {
    const { onFileChange } = this.#options;
    if (onFileChange === undefined || (paths.length === 0 && this.#fileWatch === undefined)) return;
    const onChange = () => {
      this.#files.renew();
      onFileChange();
    };
    this.#fileWatch ??= new FileWatch({ files: [], onChange });
    this.#fileWatch.follow(paths.toSorted(), this.#files.states);
  }

  async #renderAll(compiled: BoundedTemplate, world: RenderWorld): Promise<RenderResult> {
    let result = await compiled.render(world);
    for (let pass = 1; this.#canContinue(result); pass++) {
      if (pass === maxPasses) throw endlessReads(templateName(this.spec), maxPasses);
      if (result.kind === 'pending') await this.#files.load(result.missingFiles);
      result = await compiled.render(world);
    }
    return result;
  }

  #world(): RenderWorld {
    const { environment, publish = [] } = this.#options;
    return {
      vars: this.spec.vars,
      environment,
      publish,
      haproxyDefaults: findHaproxyDefaults(this.spec.reload),
      lookUp: (query, id) => this.#inputs.lookUp(query, id) as never,
      lookUpFile: (path) => this.#files.lookUp(path),
      env: (name) => process.env[name],
    };
  }

  #answers(): SeenAnswers {
    const prefix = recordPrefix({ environment: this.#options.environment });
    const records = (this.#inputs.peek({ kind: 'key-tree', prefix }) ?? []).map(({ value }) => value);
    return { versions: this.#inputs.versions, records, heldRecords: this.#options.holdsRecords?.() ?? false };
  }

  #take(
    result: RenderResult,
    { before, rendering }: { readonly before: SeenAnswers; readonly rendering: Rendering },
  ): void {
    if (result.kind !== 'pending') this.#inputs.keepOnly(result.dependencies);
    this.#gaps.take(result.kind === 'pending' ? result.missing.map(queryId) : undefined);
    this.#seen = olderOf(before, this.#answers());
    const holds = result.secrets.length > 0 ? 'secrets' : 'nothing-secret';
    this.#shown = result.kind === 'rendered' ? { text: addHead(result.shown, this.spec), holds } : undefined;
    this.#rendering = rendering;
  }

  /** Whether a pending render has all its answers already: other templates may watch the same queries. */
  #canContinue(result: RenderResult): boolean {
    if (result.kind !== 'pending') return false;
    return result.missing.every((query) => this.#inputs.lookUp(query, queryId(query)).kind === 'known');
  }
}
