import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { WatchEvent } from '../consul/watch-state.ts';
import type { Follow, Watches } from '../consul/watches.ts';
import { SwitchmasterError } from '../errors.ts';
import { type ConsulQuery, queryId } from '../model/query.ts';
import { Redactor } from '../model/redaction.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import type { CompiledTemplate } from '../template/compile.ts';
import type { RenderResult } from '../template/render.ts';
import type { RenderWorld } from '../template/scope.ts';
import type { RenderState } from './apply/state-file.ts';
import { emptyMemory, type GoodRendering, type Rendering, type RenderMemory } from './plan/render.ts';
import { namesMasters } from './plan/urgency.ts';
import { compileSource, FileTexts } from './source.ts';

/** How many times a render may find something new to read: what it reads may hang on what it has read. */
const maxPasses = 32;

/** How many of the things that it waits for are named. */
const shownGaps = 5;

/** A text without secrets, and whether there were any. */
export interface ShownText {
  readonly text: string;
  readonly holds: 'secrets' | 'nothing-secret';
}

/**
 * One template of the config between its runs: compiled, with watches on exactly what it reads, and what is remembered.
 * Only the renderer's run for its key changes it.
 */
export class LiveTemplate {
  readonly spec: TemplateSpec;
  memory: RenderMemory = emptyMemory;
  /** What it last rendered to, whatever became of that. */
  rendering: Rendering = { kind: 'pending', missing: [] };
  /** What `file` and `env` have given it so far, and the config's own secrets: nothing of it may be told. */
  readonly redactor = new Redactor();
  /** What may be shown to anybody of the text that it last rendered to; undefined where it last did not. */
  shown: ShownText | undefined;
  readonly #watches: Watches;
  readonly #environment: string | undefined;
  /** Of the config. */
  readonly #secrets: readonly string[];
  readonly #onChange: (query: ConsulQuery, event: WatchEvent) => void;
  readonly #follows = new Map<string, Follow<ConsulQuery>>();
  /** Ids of what the last render read and had no answer for. */
  #gaps = new Set<string>();
  #compiled: CompiledTemplate | undefined;
  /** Falls of Consul's index that the last proven text has seen. */
  #seenResets = 0;
  /** Indexes that a daemon before this one has seen, by query id. */
  #formerIndexes = new Map<string, bigint>();
  #fellWhileAway: 'no' | 'yes' = 'no';

  constructor(input: {
    spec: TemplateSpec;
    environment: string | undefined;
    watches: Watches;
    /** Of the config. */
    secrets?: readonly string[];
    onChange: (query: ConsulQuery, event: WatchEvent) => void;
  }) {
    this.spec = input.spec;
    this.#watches = input.watches;
    this.#environment = input.environment;
    this.#onChange = input.onChange;
    this.#secrets = input.secrets ?? [];
    this.redactor.learn(this.#secrets);
  }

  /** Ids of what it reads, sorted. */
  get dependencies(): readonly string[] {
    return [...this.#follows.keys()].sort();
  }

  /** What it waits for, and why that has not come, as sentences. */
  describeGaps(missing: readonly string[]): string {
    const troubles = missing.flatMap((id) => {
      const state = this.#follows.get(id)?.state;
      return state?.kind === 'failed' ? state.error.message : [];
    });
    const more = missing.length > shownGaps ? ` and ${missing.length - shownGaps} more` : '';
    const waits = `Waits for ${missing.slice(0, shownGaps).join(', ')}${more}.`;
    return [waits, ...[...new Set(troubles)].slice(0, shownGaps)].join(' ');
  }

  /** Whether Consul's index fell since the last proven text. */
  get catalog(): 'steady' | 'fallen' {
    // Remembered: a rebuilt Consul's index soon passes the one that it had, long before its catalog is whole again.
    if (this.#isBehindFormer()) this.#fellWhileAway = 'yes';
    return this.#resets > this.#seenResets || this.#fellWhileAway === 'yes' ? 'fallen' : 'steady';
  }

  /** Consul's index of each thing that it reads, by query id. */
  get indexes(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#heldStates()].map(([id, { index }]) => [id, String(index)]));
  }

  /**
   * Something that it reads has another state: what that means for it. `complete`: the last answer that it waited for has
   * come. `incomplete`: it waits for more, so that rendering would be in vain; ten thousand answers are one render.
   */
  heard(query: ConsulQuery): 'complete' | 'incomplete' | 'changed' {
    if (this.rendering.kind !== 'pending') return 'changed';
    const id = queryId(query);
    const state = this.#follows.get(id)?.state.kind;
    if (state === 'current' || state === 'stale') this.#gaps.delete(id);
    return this.#gaps.size === 0 ? 'complete' : state === 'failed' ? 'changed' : 'incomplete';
  }

  /** Takes over what a daemon before this one knew. */
  restore(former: RenderState): void {
    const { digest, members, refused } = former;
    const proven = { digest, members, masters: new Map(Object.entries(former.masters)) };
    this.memory = { ...emptyMemory, proven, refused };
    this.#formerIndexes = new Map(Object.entries(former.indexes).map(([id, index]) => [id, BigInt(index)]));
  }

  /** The rendering took effect: what comes is compared with it. */
  prove(rendering: GoodRendering): void {
    const { digest, members, masters } = rendering;
    this.memory = { ...emptyMemory, proven: { digest, members, masters } };
    this.#seenResets = this.#resets;
    this.#formerIndexes.clear();
    this.#fellWhileAway = 'no';
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
      know: (query, id) => this.#know(query, id) as never,
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
    this.#gaps = new Set(result.kind === 'pending' ? result.missing.map(queryId) : []);
    this.redactor.learn([...this.#secrets, ...result.secrets]);
    this.shown =
      result.kind === 'rendered'
        ? { text: result.shown, holds: result.secrets.length > 0 ? 'secrets' : 'nothing-secret' }
        : undefined;
    this.rendering = toRendering(result);
    return this.rendering;
  }

  release(): void {
    for (const follow of this.#follows.values()) follow.release();
    this.#follows.clear();
  }

  get #resets(): number {
    let sum = 0;
    for (const [, { resets }] of this.#heldStates()) sum += resets;
    return sum;
  }

  #isBehindFormer(): boolean {
    if (this.#formerIndexes.size === 0) return false;
    return [...this.#heldStates()].some(([id, { index }]) => index < (this.#formerIndexes.get(id) ?? 0n));
  }

  *#heldStates() {
    for (const [id, { state }] of this.#follows) {
      if (state.kind === 'current' || state.kind === 'stale') yield [id, state] as const;
    }
  }

  #know(query: ConsulQuery, id: string) {
    let follow = this.#follows.get(id);
    if (follow === undefined) {
      follow = this.#watches.follow(query, (event) => this.#onChange(query, event), {
        // Any server may tell who is in the catalog; who is master only the leader.
        consistency: namesMasters(query) === 'masters' ? 'default' : 'stale',
      });
      this.#follows.set(id, follow);
    }
    const { state } = follow;
    const known = state.kind === 'current' || state.kind === 'stale';
    return known ? { kind: 'known', value: state.value } : { kind: 'unknown' };
  }

  /** A pending render whose gaps others have filled already: watches are shared. */
  #canGoOn(result: RenderResult): boolean {
    return (
      result.kind === 'pending' && result.missing.every((query) => this.#know(query, queryId(query)).kind === 'known')
    );
  }

  #keepOnly(dependencies: readonly ConsulQuery[]): void {
    // Whatever it reads is followed: with as many, nothing is followed in vain.
    if (dependencies.length === this.#follows.size) return;
    const read = new Set(dependencies.map(queryId));
    for (const [id, follow] of this.#follows) {
      if (read.has(id)) continue;
      follow.release();
      this.#follows.delete(id);
    }
  }
}

function toRendering(result: RenderResult): Rendering {
  switch (result.kind) {
    case 'pending':
      return { kind: 'pending', missing: [...result.missing.map(queryId), ...result.missingFiles].sort() };
    case 'failed':
      return { kind: 'failed', error: result.error };
    case 'rendered': {
      const { text, members, masters, records } = result;
      return { kind: 'rendered', text, digest: digestOf(Buffer.from(text)), members, masters, records };
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
