import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bulkhead } from 'cockatiel';
import { SwitchmasterError } from '../../errors.ts';
import { type ConsulQuery, queryId } from '../../model/query.ts';
import { type CompiledTemplate, type CompileInput, compileTemplate } from '../compile.ts';
import { templateFailure } from '../helper.ts';
import type { RenderResult } from '../render.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import type { VarsRead } from '../vars-read.ts';
import { endlessReads, loopLimitMs, loopLimits } from './limits.ts';
import { RenderProcess } from './process.ts';
import { type Cost, Overrun, runWithin } from './time-limit.ts';
import { type FileText, packError, unpackError, unpackResult } from './wire.ts';

type Read = Pick<RenderResult, 'dependencies' | 'files' | 'members' | 'lists'>;
const nothing: Read = { dependencies: [], files: [], members: [], lists: { filled: [], empty: [] } };

/** Renders in a row, because what a render has read names more to read. */
const maxPasses = 64;

/**
 * How many processes work at once: the daemon itself needs a processor. Templates that have exceeded a limit wait for each other,
 * so that they do not hold up the others.
 */
const lanes = {
  'in-time': bulkhead(Math.max(1, availableParallelism() - 1), Number.POSITIVE_INFINITY),
  late: bulkhead(1, Number.POSITIVE_INFINITY),
};

const lookupsAtOnce = 256;

/** A render that takes this part of the limit does not harm the event loop. */
const harmless = 1 / 4;

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
  #process: RenderProcess | undefined;
  #history: 'in-time' | 'late' = 'in-time';
  #closed = false;
  /** What the last render in the event loop read, by query id. */
  #queries: ReadonlyMap<string, ConsulQuery> = new Map();
  /** What the process knows, by query id. */
  readonly #sent = new Map<string, Lookup<unknown>>();
  /** What the last render in the process read. */
  #read: Read = nothing;

  /** Throws `template-invalid`, as `compileTemplate` does. */
  static async compile(input: CompileInput): Promise<BoundedTemplate> {
    const template = new BoundedTemplate(input);
    try {
      await template.#compile();
    } catch (thrown) {
      template.close();
      throw thrown;
    }
    return template;
  }

  private constructor(input: CompileInput) {
    this.file = input.template.file;
    this.#input = input;
  }

  /** Which of `vars` it may read, in any branch. */
  get vars(): VarsRead {
    return this.#vars;
  }

  /** Never throws. */
  async render(world: RenderWorld): Promise<RenderResult> {
    if (this.#place === 'loop') {
      const result = await this.#renderInLoop(world);
      if (result !== undefined) return result;
      this.#place = 'process';
    }
    try {
      return await lanes[this.#history].execute(() => this.#renderInProcess(world));
    } catch (thrown) {
      return failedResult(SwitchmasterError.from(thrown, 'template-failed'), this.#read);
    }
  }

  /** Ends its process. A render under way fails, and no other one begins there. */
  close(): void {
    this.#closed = true;
    this.#process?.close();
    this.#process = undefined;
  }

  async #compile(): Promise<void> {
    try {
      const work = () => compileTemplate({ ...this.#input, limits: { ...this.#input.limits, ...loopLimits } });
      this.#compiled = await runWithin({ limitMs: loopLimitMs(), cost: 'unknown', work });
      this.#vars = this.#compiled.vars;
    } catch (thrown) {
      if (!(thrown instanceof Overrun)) throw thrown;
      this.#place = 'process';
      await lanes['in-time'].execute(() => this.#start());
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
      await inParts(added, ([id, query]) => known.set(id, world.lookUp(query, id)));
      if (result === undefined || added.every(([id]) => known.get(id)?.kind === 'unknown')) return result;
    }
    return failedResult(endlessReads(this.file, maxPasses), nothing);
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
      return render({ ...world, lookUp });
    };
    try {
      const result = await runWithin({ limitMs: loopLimitMs(), cost: this.#cost, work });
      this.#cost = performance.now() - startMs > loopLimitMs() * harmless ? 'unknown' : 'little';
      if (result.kind !== 'failed' || result.limit === 'kept') return result;
      this.#reason = 'size';
      return undefined;
    } catch (thrown) {
      this.#cost = 'unknown';
      if (thrown instanceof Overrun) return undefined;
      return failedResult(SwitchmasterError.from(thrown, 'template-failed'), nothing);
    }
  }

  async #renderInProcess(world: RenderWorld): Promise<RenderResult> {
    const process = await this.#start();
    let ids = this.#read.dependencies;
    let paths = this.#read.files;
    for (let pass = 1; pass <= maxPasses; pass++) {
      await process.send(this.#news(world, ids));
      const { lookUp: _, lookUpFile: __, env: ___, ...given } = world;
      const reply = await process.ask({ kind: 'render', world: given, files: readFiles(world, paths) });
      if (reply.kind === 'error') throw unpackError(reply);
      if (reply.kind !== 'rendered') break;
      const result = unpackResult(reply, this.#read);
      this.#read = result;
      [ids, paths] = [result.dependencies, result.files];
      if (result.kind !== 'pending' || !this.#isKnown(world, result)) {
        this.#judge(reply.ms, result);
        return result;
      }
    }
    throw endlessReads(this.file, maxPasses);
  }

  #judge(ms: number, result: RenderResult): void {
    const isLate = result.kind === 'failed' && result.limit === 'reached';
    this.#history = isLate ? 'late' : 'in-time';
    if (isLate) this.#process?.yield();
    // Another process may have had the processor when it took long in the event loop.
    if (this.#compiled !== undefined && this.#reason === 'time' && ms < loopLimitMs() * harmless) this.#place = 'loop';
  }

  async #start(): Promise<RenderProcess> {
    if (this.#closed) throw templateFailure(`${this.file}: the template is not used any more.`);
    if (this.#process?.isAlive === true) return this.#process;
    if (this.#process !== undefined) this.#history = 'late';
    this.#sent.clear();
    this.#read = { ...nothing, dependencies: this.#read.dependencies, files: this.#read.files };
    this.#process = new RenderProcess({ file: this.file, history: this.#history });
    const reply = await this.#process.ask({ kind: 'compile', input: this.#input });
    if (reply.kind === 'error') throw unpackError(reply);
    if (reply.kind === 'compiled') this.#vars = reply.vars;
    return this.#process;
  }

  /** The answers that the process does not have yet. */
  #news(world: RenderWorld, queries: readonly ConsulQuery[]): readonly (readonly [string, Lookup<unknown>])[] {
    return queries.flatMap((query) => {
      const id = queryId(query);
      const lookup: Lookup<unknown> = world.lookUp(query, id);
      if (isSame(this.#sent.get(id) ?? { kind: 'unknown' }, lookup)) return [];
      this.#sent.set(id, lookup);
      return [[id, lookup] as const];
    });
  }

  /** Whether the world knows something that the process misses. Starts watches on what is missing. */
  #isKnown(world: RenderWorld, result: Extract<RenderResult, { readonly kind: 'pending' }>): boolean {
    const lookups = result.missing.map((query) => world.lookUp(query, queryId(query)).kind !== 'unknown');
    const files = result.missingFiles.map((path) => readFiles(world, [path]).size > 0);
    return lookups.includes(true) || files.includes(true);
  }
}

/** With turns of the event loop for other work: a lookup may start a watch. */
async function inParts<T>(list: readonly T[], visit: (one: T) => void): Promise<void> {
  for (const [i, one] of list.entries()) {
    if (i > 0 && i % lookupsAtOnce === 0) await nextTurn();
    visit(one);
  }
}

function isSame(a: Lookup<unknown>, b: Lookup<unknown>): boolean {
  return a.kind === b.kind && (a.kind !== 'known' || (b.kind === 'known' && a.value === b.value));
}

/** The texts that the world knows. */
function readFiles(world: RenderWorld, paths: readonly string[]): ReadonlyMap<string, FileText> {
  const known = new Map<string, FileText>();
  for (const path of paths) {
    try {
      const lookup = world.lookUpFile(path);
      if (lookup.kind === 'known') known.set(path, { kind: 'text', text: lookup.value });
    } catch (thrown) {
      known.set(path, packError(thrown));
    }
  }
  return known;
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
  };
}
