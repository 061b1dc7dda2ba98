import type { Budget, RenderLimits } from './budget.ts';
import type { PrintSite } from './format.ts';
import type { PassReads, RenderScope } from './scope.ts';

/*
 * The passes of separable loops (separable.ts), from one render to the next. A template with thousands of services renders the pass
 * of the one that changed, and takes the texts of all others from the last render.
 *
 * Passes are kept, and count in the next render, only while nothing happens that depends on more than one pass: see `isRegular`. A
 * render in which such a thing happens is repeated as if nothing were kept (render.ts). A render can end anywhere, if it takes too
 * long. So it leaves its passes to the next one in a single step, at its end.
 */

/** A pass as it was written, from the beginning of a line to the end of one. */
export class KeptPass {
  readonly item: unknown;
  readonly reads: PassReads;
  readonly steps: number;
  readonly characters: number;
  /** Of the text with marks in place of values, which the blocks around it count. */
  readonly marked: number;
  readonly text: string;

  constructor({ item, reads, steps, characters, marked }: Omit<KeptPass, 'text'>, text: string) {
    this.item = item;
    this.reads = reads;
    this.steps = steps;
    this.characters = characters;
    this.marked = marked;
    this.text = copyOf(text);
  }
}

/** V8 would keep the whole output of a render for a part of it. */
function copyOf(text: string): string {
  const encoding = beyondLatin1.test(text) ? 'utf16le' : 'latin1';
  return Buffer.from(text, encoding).toString(encoding);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a range
const beyondLatin1 = /[^\u0000-\u00ff]/;

/** By the number of the loop's place, and by item. */
type Kept = ReadonlyMap<number, ReadonlyMap<unknown, KeptPass>>;

/** The passes of one template. */
export class KeptPasses {
  #kept: Kept = new Map();
  #renders = 0;
  #msPerStep = Number.POSITIVE_INFINITY;
  /** By place, how many renders in a row took none of its passes, although there were some. */
  readonly #misses = new Map<number, number>();

  /** What the next render may take. */
  get kept(): Kept {
    return this.#renders < rendersToMeasure ? new Map() : this.#kept;
  }

  /** What a step took in the fastest render that rendered every pass. */
  get msPerStep(): number {
    return this.#msPerStep;
  }

  /** Where the items are new objects in each render, to keep passes would only take time. */
  isWorthwhile(place: number): boolean {
    return (this.#misses.get(place) ?? 0) < mostMisses;
  }

  /** `recalled`: the places of which the render took passes. */
  replace(kept: Kept, render: { readonly msPerStep: number; readonly recalled: ReadonlySet<number> }): void {
    const { msPerStep, recalled } = render;
    for (const place of kept.keys()) {
      if (!this.kept.has(place)) continue;
      this.#misses.set(place, recalled.has(place) ? 0 : (this.#misses.get(place) ?? 0) + 1);
    }
    this.#kept = kept;
    if (recalled.size > 0) return;
    this.#renders += 1;
    this.#msPerStep = Math.min(this.#msPerStep, msPerStep);
  }

  /** The next render renders every pass. */
  forget(): void {
    this.#kept = new Map();
  }
}

/** In the first renders, V8 compiles. What they take says little about later ones. */
const rendersToMeasure = 3;

/** One service that changes several times in a row is no reason. */
const mostMisses = 8;

interface Recording {
  readonly scope: RenderScope;
  readonly budget: Budget;
  readonly limits: RenderLimits;
  /** The numbers of the places of separable loops. */
  readonly separable: ReadonlySet<number>;
}

/** One render that takes and records passes. */
export class PassRecorder {
  readonly #passes: KeptPasses;
  readonly #kept: Kept;
  readonly #of: Recording;
  readonly #startMs = performance.now();
  readonly #next = new Map<number, Map<unknown, KeptPass>>();
  #recorded = 0;
  #count = 0;
  #recalledSteps = 0;
  /** The places of the passes that it took. */
  readonly #recalled = new Set<number>();

  constructor(passes: KeptPasses, of: Recording) {
    this.#passes = passes;
    this.#kept = passes.kept;
    this.#of = of;
  }

  /** Whether this render has taken a pass of the last one. */
  get hasRecalled(): boolean {
    return this.#recalled.size > 0;
  }

  /** What rendering the recalled passes would have taken. */
  get savedMs(): number {
    return this.#recalledSteps === 0 ? 0 : this.#recalledSteps * this.#passes.msPerStep;
  }

  /** Whether the passes of the loop at this place are recalled and recorded. Those within a recorded pass are a part of it. */
  isKept(place: number): boolean {
    const { separable, scope } = this.#of;
    if (!separable.has(place) || scope.passReads !== undefined || !this.#passes.isWorthwhile(place)) return false;
    return this.#isUndisturbed();
  }

  /** Whether the pass of an item may be recorded. A loop can have a million of them. */
  takes(item: unknown): boolean {
    return this.#recorded < mostKept && isIdentity(item);
  }

  /** The pass of the last render, if it is the same now. What it read and took counts for this render too. */
  recall(item: unknown, { place, site }: { readonly place: number; readonly site: PrintSite }): KeptPass | undefined {
    const { scope, budget } = this.#of;
    const kept = this.#kept.get(place)?.get(item);
    if (kept === undefined || !scope.isSame(kept.reads)) return undefined;
    this.#recalled.add(place);
    this.#recalledSteps += kept.steps;
    budget.spend(site, kept.characters, kept.steps);
    scope.repeat(kept.reads);
    this.keep(place, kept);
    return kept;
  }

  /** Renders a pass; gives the text, and what makes a kept pass of what is written for it. */
  record(item: unknown, render: () => string): { readonly text: string; readonly finish: (text: string) => KeptPass } {
    const { scope, budget } = this.#of;
    this.#recorded += 1;
    const before = budget.spent;
    const reads: PassReads = { lookups: new Map(), members: [] };
    scope.passReads = reads;
    try {
      const text = render();
      const { steps, characters } = budget.spent;
      const spent = { steps: steps - before.steps, characters: characters - before.characters };
      return { text, finish: (written) => new KeptPass({ item, reads, ...spent, marked: text.length }, written) };
    } finally {
      scope.passReads = undefined;
    }
  }

  /** The next render may take the pass. */
  keep(place: number, pass: KeptPass): void {
    const passes = this.#next.get(place) ?? new Map<unknown, KeptPass>();
    this.#next.set(place, passes);
    if (this.#count >= mostKept || passes.has(pass.item)) return;
    passes.set(pass.item, pass);
    this.#count += 1;
  }

  /**
   * Whether the render is what it would be with every pass rendered, and its passes may be kept. Warnings, secrets, names with two
   * meanings and denied reads have effects beyond a pass. Near a limit, it counts exactly what passes took: the numbers of marks, and so their
   * lengths, differ from render to render, but each is shorter than four times any other.
   */
  isRegular(): boolean {
    const { budget, limits } = this.#of;
    const ms = performance.now() - this.#startMs + this.savedMs;
    const isFar = budget.spent.characters <= limits.maxOutputBytes / 4 && ms <= limits.maxMs / 4;
    return isFar && this.#isUndisturbed();
  }

  #isUndisturbed(): boolean {
    const { warnings, secrets, hasListed } = this.#of.scope;
    return warnings.size === 0 && secrets.texts.size === 0 && !hasListed;
  }

  /** Leaves the passes to the next render. */
  commit(): void {
    const { steps } = this.#of.budget.spent;
    const msPerStep = (performance.now() - this.#startMs) / Math.max(1, steps);
    this.#passes.replace(this.#next, { msPerStep, recalled: this.#recalled });
  }
}

/** Of all loops of a template. */
const mostKept = 32_768;

/** Whether equal keys of a map are the same value for every helper: 0 and -0 are not. Answers of Consul never change, they are replaced. */
function isIdentity(item: unknown): boolean {
  return typeof item === 'string' || (typeof item === 'object' && item !== null);
}
