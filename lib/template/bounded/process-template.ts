import { availableParallelism } from 'node:os';
import { bulkhead } from 'cockatiel';
import { type ConsulQuery, queryId } from '../../model/query.ts';
import type { CompileInput } from '../compile.ts';
import { templateFailure } from '../helper.ts';
import type { RenderResult } from '../render.ts';
import type { Lookup, RenderWorld } from '../scope.ts';
import type { VarsRead } from '../vars-read.ts';
import { endlessReads, maxPasses } from './limits.ts';
import { visitInParts } from './loop-turns.ts';
import { type News, RenderProcess } from './process.ts';
import { type FileText, type LongLists, packError, unpackError, unpackResult } from './wire.ts';

export type Read = LongLists & Pick<RenderResult, 'files'>;
export const nothingRead: Read = {
  dependencies: [],
  files: [],
  members: [],
  lists: { filled: [], empty: [] },
  secrets: [],
};

/** `new`: it has not rendered in a process yet. `in-time`: it kept every limit the last time. */
export type History = 'new' | 'in-time' | 'late';

const workers = Math.max(1, availableParallelism() - 1);

/**
 * How many processes work at once: the daemon itself needs a processor. Templates that have exceeded a limit wait for each
 * other, and so do those that may exceed one at their first render: they do not hold up the others.
 */
const lanes: Readonly<Record<History, ReturnType<typeof bulkhead>>> = {
  new: bulkhead(Math.ceil(workers / 2), Number.POSITIVE_INFINITY),
  'in-time': bulkhead(workers, Number.POSITIVE_INFINITY),
  late: bulkhead(1, Number.POSITIVE_INFINITY),
};

/** A template in a process of its own. */
export class ProcessTemplate {
  readonly #input: CompileInput;
  #process: RenderProcess | undefined;
  #history: History;
  #vars: VarsRead = { kind: 'any' };
  #closed = false;
  /** What the process knows, by query id and by path. */
  readonly #answers = new Map<string, Lookup<unknown>>();
  readonly #files = new Map<string, FileText>();
  /** What the last render read. */
  #read: Read = nothingRead;

  constructor(input: CompileInput, history: History) {
    this.#input = input;
    this.#history = history;
  }

  get vars(): VarsRead {
    return this.#vars;
  }

  get history(): History {
    return this.#history;
  }

  /** What it reads as far as is known, so that a change of it renders again. */
  get read(): Read {
    return this.#read;
  }

  /** Throws `template-invalid`. */
  async compile(): Promise<void> {
    await this.#inLane(() => this.#start());
  }

  /** The result, and the processor time that the last pass took. Throws `template-failed`. */
  render(world: RenderWorld): Promise<{ readonly result: RenderResult; readonly ms: number }> {
    return this.#inLane(() => this.#render(world));
  }

  /** Ends the process. A render under way fails, and no other one begins. */
  close(): void {
    this.#closed = true;
    this.#process?.close();
    this.#process = undefined;
  }

  #inLane<T>(work: () => Promise<T>): Promise<T> {
    return lanes[this.#history].execute(work);
  }

  async #render(world: RenderWorld): Promise<{ readonly result: RenderResult; readonly ms: number }> {
    const process = await this.#start();
    for (let pass = 1; pass <= maxPasses; pass++) {
      await process.send(await this.#news(world));
      const { lookUp: _, lookUpFile: __, env: ___, ...given } = world;
      const reply = await process.ask({ kind: 'render', world: given });
      if (reply.kind === 'error') throw unpackError(reply);
      if (reply.kind !== 'rendered') break;
      const result = unpackResult(reply, this.#read);
      this.#read = result;
      if (result.kind !== 'pending' || !(await this.#isKnown(world, result))) {
        this.#judge(result);
        return { result, ms: reply.ms };
      }
    }
    throw endlessReads(this.#input.template.file, maxPasses);
  }

  #judge(result: RenderResult): void {
    const isLate = result.kind === 'failed' && result.limit === 'reached';
    if (isLate) this.#process?.yield();
    // What waits for answers may have rendered next to nothing.
    if (isLate || result.kind !== 'pending') this.#history = isLate ? 'late' : 'in-time';
  }

  async #start(): Promise<RenderProcess> {
    const { file } = this.#input.template;
    if (this.#closed) throw templateFailure(`${file}: the template is not used any more.`);
    if (this.#process?.isAlive === true) return this.#process;
    if (this.#process !== undefined) this.#history = 'late';
    this.#answers.clear();
    this.#files.clear();
    this.#read = { ...nothingRead, dependencies: this.#read.dependencies, files: this.#read.files };
    this.#process = new RenderProcess({ file, history: this.#history });
    const reply = await this.#process.ask({ kind: 'compile', input: this.#input });
    if (reply.kind === 'error') throw unpackError(reply);
    if (reply.kind === 'compiled') this.#vars = reply.vars;
    return this.#process;
  }

  /** What the process does not have yet of what the template reads. */
  async #news(world: RenderWorld): Promise<News> {
    const answers: [string, Lookup<unknown>][] = [];
    await visitInParts(this.#read.dependencies, (query: ConsulQuery) => {
      const id = idOf(query);
      const lookup: Lookup<unknown> = world.lookUp(query, id);
      if (isSame(this.#answers.get(id) ?? { kind: 'unknown' }, lookup)) return;
      this.#answers.set(id, lookup);
      answers.push([id, lookup]);
    });
    const files = this.#read.files.flatMap((path): News['files'] => {
      const file = readFile(world, path);
      if (isSameFile(this.#files.get(path) ?? { kind: 'unknown' }, file)) return [];
      this.#files.set(path, file);
      return [[path, file]];
    });
    return { answers, files };
  }

  /** Whether the world knows something that the process misses. Starts watches on what is missing. */
  async #isKnown(world: RenderWorld, result: Extract<RenderResult, { readonly kind: 'pending' }>): Promise<boolean> {
    let known = result.missingFiles.some((path) => readFile(world, path).kind !== 'unknown');
    await visitInParts(result.missing, (query) => {
      if (world.lookUp(query, queryId(query)).kind !== 'unknown') known = true;
    });
    return known;
  }
}

/** Of what was read before: a template may read ten thousand things at each render. */
const ids = new WeakMap<ConsulQuery, string>();

function idOf(query: ConsulQuery): string {
  const known = ids.get(query);
  if (known !== undefined) return known;
  const id = queryId(query);
  ids.set(query, id);
  return id;
}

function isSame(a: Lookup<unknown>, b: Lookup<unknown>): boolean {
  return a.kind === b.kind && (a.kind !== 'known' || (b.kind === 'known' && a.value === b.value));
}

function isSameFile(a: FileText, b: FileText): boolean {
  if (a.kind === 'text') return b.kind === 'text' && a.text === b.text;
  return a.kind === 'error' ? b.kind === 'error' && a.message === b.message : b.kind === 'unknown';
}

function readFile(world: RenderWorld, path: string): FileText {
  try {
    const lookup = world.lookUpFile(path);
    return lookup.kind === 'known' ? { kind: 'text', text: lookup.value } : { kind: 'unknown' };
  } catch (thrown) {
    return packError(thrown);
  }
}
