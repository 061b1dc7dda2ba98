import { setImmediate as nextTurn } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import type { ConsulQuery } from '../../model/query.ts';
import { type CompiledTemplate, type CompileInput, compileTemplate } from '../compile.ts';
import { KeptPasses } from '../kept-passes.ts';
import type { RenderResult } from '../render.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import type { VarsRead } from '../vars-read.ts';
import { endlessReads, loopLimitMs, loopLimits, maxPasses } from './limits.ts';
import { visitInParts } from './loop-turns.ts';
import { type History, nothingRead, ProcessTemplate, type Read } from './process-template.ts';
import { type Cost, little, Overrun, runWithin } from './time-limit.ts';

/**
 * A template that cannot hold up the event loop for long. It is compiled and rendered there first, where V8 ends it after some
 * milliseconds. What needs more is done in a process of the template's own, with more time and with a limit of memory.
 */
export class BoundedTemplate {
  readonly file: string;
  readonly #input: CompileInput;
  #compiled: CompiledTemplate | undefined;
  #vars: VarsRead = { kind: 'any' };
  #place: 'loop' | 'process' = 'loop';
  /** `size`: the output is too large for the event loop, however fast it is. */
  #reason: 'time' | 'size' = 'time';
  /** Of a render in the event loop. */
  #cost: Cost = 'unknown';
  /** `in-time`: the last render in the event loop kept the limit, so one that does not may get a second attempt. */
  #last: 'in-time' | 'unknown' = 'unknown';
  /** Of renders in the event loop. */
  readonly #kept = new KeptPasses();
  readonly #process: ProcessTemplate;
  /** What the last render in the event loop read, by query id. */
  #queries: ReadonlyMap<string, ConsulQuery> = new Map();

  /** Throws `template-invalid`, as `compileTemplate` does. `history`: of the template that it replaces. */
  static async compile(input: CompileInput, history: History = 'new'): Promise<BoundedTemplate> {
    const template = new BoundedTemplate(input, history);
    try {
      await template.#compile();
    } catch (thrown) {
      template.close();
      throw thrown;
    }
    return template;
  }

  private constructor(input: CompileInput, history: History) {
    this.file = input.template.file;
    this.#input = input;
    this.#process = new ProcessTemplate(input, history);
  }

  get history(): History {
    return this.#process.history;
  }

  /** Which of `vars` it may read, in any branch. */
  get vars(): VarsRead {
    return this.#vars;
  }

  /** Whether it is rendered in the event loop, in a few milliseconds. */
  get isInLoop(): boolean {
    return this.#place === 'loop';
  }

  /** Never throws. */
  async render(world: RenderWorld): Promise<RenderResult> {
    if (this.#place === 'loop') {
      const result = await this.#renderInLoop(world);
      if (result !== undefined) return result;
      this.#place = 'process';
      this.#kept.forget();
    }
    try {
      const { result, ms } = await this.#process.render(world);
      // Another process may have had the processor when it took long in the event loop.
      if (this.#compiled !== undefined && this.#reason === 'time' && ms < loopLimitMs() * little) this.#place = 'loop';
      return result;
    } catch (thrown) {
      return failedResult(SwitchmasterError.from(thrown, 'template-failed'), this.#process.read);
    }
  }

  /** Ends its process. A render under way fails, and no other one begins there. */
  close(): void {
    this.#process.close();
  }

  async #compile(): Promise<void> {
    try {
      const work = () => compileTemplate({ ...this.#input, limits: { ...this.#input.limits, ...loopLimits } });
      this.#compiled = await runWithin({ limitMs: loopLimitMs(), cost: 'unknown', work });
      this.#vars = this.#compiled.vars;
    } catch (thrown) {
      if (!(thrown instanceof Overrun)) throw thrown;
      this.#place = 'process';
      await this.#process.compile();
      this.#vars = this.#process.vars;
    }
    await nextTurn();
  }

  /**
   * undefined where it needs more than the event loop can give. V8 may end a render wherever it is, so it reads a copy of what
   * is known: a lookup that starts a watch, ended halfway, would leave the daemon's state broken.
   */
  async #renderInLoop(world: RenderWorld): Promise<RenderResult | undefined> {
    const known = new Map([...this.#queries].map(([id, query]) => [id, world.lookUp(query, id) as Lookup<unknown>]));
    for (let pass = 1; pass <= maxPasses; pass++) {
      const asked = new Map<string, ConsulQuery>();
      const result = await this.#attempt(world, { known, asked });
      // So that renders in a row do not hold up the loop together.
      if (this.#cost === 'unknown') await nextTurn();
      this.#queries = result === undefined ? this.#queries : asked;
      const added = [...asked].filter(([id]) => !known.has(id));
      await visitInParts(added, ([id, query]) => known.set(id, world.lookUp(query, id)));
      if (result === undefined || added.every(([id]) => known.get(id)?.kind === 'unknown')) return result;
    }
    return failedResult(endlessReads(this.file, maxPasses), nothingRead);
  }

  async #attempt(
    world: RenderWorld,
    on: { readonly known: ReadonlyMap<string, Lookup<unknown>>; readonly asked: Map<string, ConsulQuery> },
  ): Promise<RenderResult | undefined> {
    const { render } = this.#compiled ?? {};
    if (render === undefined) return undefined;
    const lookUp = (query: ConsulQuery, id: string) => {
      on.asked.set(id, query);
      return (on.known.get(id) ?? { kind: 'unknown' }) as never;
    };
    let startMs = 0;
    const work = () => {
      startMs = performance.now();
      return render({ ...world, lookUp }, this.#kept);
    };
    try {
      const again = this.#last === 'in-time' ? 'once' : 'never';
      const result = await runWithin({ limitMs: loopLimitMs(), cost: this.#cost, work, again });
      this.#last = 'in-time';
      this.#cost = performance.now() - startMs + result.savedMs > loopLimitMs() * little ? 'unknown' : 'little';
      if (result.kind !== 'failed' || result.limit === 'kept') return result;
      this.#reason = 'size';
      return undefined;
    } catch (thrown) {
      this.#cost = 'unknown';
      this.#last = 'unknown';
      if (thrown instanceof Overrun) return undefined;
      return failedResult(SwitchmasterError.from(thrown, 'template-failed'), nothingRead);
    }
  }
}

/** `read`: what the template reads as far as is known, so that a change of it renders again. */
function failedResult(error: SwitchmasterError, read: Read): RenderResult {
  return {
    kind: 'failed',
    error,
    limit: 'reached',
    dependencies: read.dependencies,
    files: read.files,
    members: [],
    lists: { filled: [], empty: [] },
    masters: new Map(),
    records: 'not-read',
    time: 'not-read',
    warnings: [],
    refusal: undefined,
    secrets: [],
    savedMs: 0,
  };
}
