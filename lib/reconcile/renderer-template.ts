import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SwitchmasterError } from '../errors.ts';
import { type ConsulQuery, queryId } from '../model/query.ts';
import type { Rendering, RenderMemory } from '../plan/render.ts';
import type { TemplateSpec } from '../plan/render-spec.ts';
import type { CatalogWatches, Follow } from '../source/catalog.ts';
import type { WatchEvent } from '../source/watch-state.ts';
import { type CompiledTemplate, compileTemplate } from '../template/compile.ts';
import { inferFormat } from '../template/format.ts';
import type { RenderResult } from '../template/render.ts';
import type { RenderWorld } from '../template/scope.ts';

/** How many times a render may find something new to read: what it reads may hang on what it has read. */
const maxPasses = 32;

/**
 * One template of the config between its runs: compiled, with watches on exactly what it reads, and what is remembered.
 * Only the renderer's run for its key changes it.
 */
export class LiveTemplate {
  readonly spec: TemplateSpec;
  memory: RenderMemory = { owed: undefined };
  /** What it last rendered to, whatever became of that. */
  rendering: Rendering = { kind: 'pending', missing: [] };
  readonly #watches: CatalogWatches;
  readonly #environment: string;
  readonly #onChange: (query: ConsulQuery, event: WatchEvent) => void;
  readonly #follows = new Map<string, Follow<ConsulQuery>>();
  #compiled: CompiledTemplate | undefined;

  constructor(input: {
    spec: TemplateSpec;
    environment: string;
    watches: CatalogWatches;
    onChange: (query: ConsulQuery, event: WatchEvent) => void;
  }) {
    this.spec = input.spec;
    this.#watches = input.watches;
    this.#environment = input.environment;
    this.#onChange = input.onChange;
  }

  /** Ids of what it reads, sorted. */
  get dependencies(): readonly string[] {
    return [...this.#follows.keys()].sort();
  }

  /** Errors of what it reads and could not read lately, by query id. */
  get troubles(): ReadonlyMap<string, SwitchmasterError> {
    const troubles = new Map<string, SwitchmasterError>();
    for (const [id, { state }] of this.#follows) {
      if (state.kind === 'failed' || state.kind === 'stale') troubles.set(id, state.error);
    }
    return troubles;
  }

  /** Forgets the compiled form: the source may have changed. */
  forgetSource(): void {
    this.#compiled = undefined;
  }

  /** Renders with what is known now, following what turns out to be read and letting go of what no longer is. */
  async render(): Promise<Rendering> {
    this.#compiled ??= await compileSource(this.spec);
    const world: RenderWorld = {
      vars: this.spec.vars,
      environment: this.#environment,
      know: (query) => this.#know(query) as never,
      knowFile: (path) => files.know(path),
      env: (name) => process.env[name],
    };
    const files = new FileTexts();
    let result = this.#compiled.render(world);
    for (let pass = 1; this.#canGoOn(result); pass++) {
      if (pass === maxPasses) throw endless(this.spec);
      if (result.kind === 'pending') await files.load(result.missingFiles);
      result = this.#compiled.render(world);
    }
    if (result.kind !== 'pending') this.#keepOnly(result.dependencies);
    this.rendering = toRendering(result);
    return this.rendering;
  }

  release(): void {
    for (const follow of this.#follows.values()) follow.release();
    this.#follows.clear();
  }

  #know(query: ConsulQuery) {
    const id = queryId(query);
    let follow = this.#follows.get(id);
    if (follow === undefined) {
      follow = this.#watches.follow(query, (event) => this.#onChange(query, event));
      this.#follows.set(id, follow);
    }
    const { state } = follow;
    const known = state.kind === 'current' || state.kind === 'stale';
    return known ? { kind: 'known', value: state.value } : { kind: 'unknown' };
  }

  /** A pending render whose gaps others have filled already: watches are shared. */
  #canGoOn(result: RenderResult): boolean {
    return result.kind === 'pending' && result.missing.every((query) => this.#know(query).kind === 'known');
  }

  #keepOnly(dependencies: readonly ConsulQuery[]): void {
    const read = new Set(dependencies.map(queryId));
    for (const [id, follow] of this.#follows) {
      if (read.has(id)) continue;
      follow.release();
      this.#follows.delete(id);
    }
  }
}

/** Reads and compiles a template; `*.hbs` beside it whose names begin with `_` are its partials, without that `_`. */
export async function compileSource(
  spec: Pick<TemplateSpec, 'source' | 'destination' | 'format'>,
): Promise<CompiledTemplate> {
  const { source, destination } = spec;
  const folder = dirname(source);
  const text = await readSource(source);
  const names = (await readdir(folder)).filter((name) => name.startsWith('_') && name.endsWith('.hbs'));
  const partials = await Promise.all(
    names.map(async (file) => [file.slice(1, -4), { file, text: await readSource(join(folder, file)) }] as const),
  );
  const format = spec.format ?? inferFormat(source, destination);
  return compileTemplate({ template: { file: basename(source), text }, partials: new Map(partials), format });
}

/** Files that a template reads, each read once a run; changes show with the next run, by the resync at the latest. */
class FileTexts {
  readonly #texts = new Map<string, string | SwitchmasterError>();

  know(path: string) {
    const text = this.#texts.get(path);
    if (text instanceof SwitchmasterError) throw text;
    return text === undefined ? ({ kind: 'unknown' } as const) : ({ kind: 'known', value: text } as const);
  }

  async load(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const text = await readFile(path, 'utf8').catch((cause: Error) => {
        return new SwitchmasterError('template-failed', `the file ${path} cannot be read: ${cause.message}`, { cause });
      });
      this.#texts.set(path, text);
    }
  }
}

async function readSource(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new SwitchmasterError('template-invalid', `The template ${path} cannot be read: ${reason}.`, { cause });
  }
}

function toRendering(result: RenderResult): Rendering {
  switch (result.kind) {
    case 'pending':
      return { kind: 'pending', missing: [...result.missing.map(queryId), ...result.missingFiles].sort() };
    case 'failed':
      return { kind: 'failed', error: result.error };
    case 'rendered': {
      const { text, members, records } = result;
      return { kind: 'rendered', text, digest: digestOf(Buffer.from(text)), members, records };
    }
  }
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function endless(spec: TemplateSpec): SwitchmasterError {
  const message = `${basename(spec.source)} finds something new to read each time it is rendered.`;
  return new SwitchmasterError('template-failed', message);
}
