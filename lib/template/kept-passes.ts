import type { Budget, Spent } from './budget.ts';
import type { PrintSite } from './format.ts';
import { type PassRead, PassReads } from './pass-reads.ts';
import type { RenderScope } from './scope.ts';

/*
 * The passes of separable loops (separable.ts), from one render to the next. A template with thousands of services renders the pass
 * of the one that changed, and takes the texts of all others from the last render.
 *
 * A render ends anywhere if it takes too long. So it leaves its passes to the next one in a single step, at its end.
 */

/** A pass that was rendered and is not written yet. */
interface Rendered {
  readonly place: number;
  readonly item: unknown;
  readonly reads: readonly PassRead[];
  readonly members: readonly (readonly string[])[];
  readonly spent: Spent;
  readonly ms: number;
  /** Of the text with marks in place of values, which the blocks around it count. */
  readonly characters: number;
}

/** A pass as it was written, from the beginning of a line to the end of one. It had no secret, no warning and no missing answer. */
export class KeptPass {
  readonly of: Rendered;
  readonly text: string;

  constructor(of: Rendered, text: string) {
    this.of = of;
    // V8 would keep the whole output of this render for a part of it.
    this.text = Buffer.from(text, 'utf16le').toString('utf16le');
  }
}

type Kept = ReadonlyMap<number, ReadonlyMap<unknown, KeptPass>>;

interface Recording {
  readonly scope: RenderScope;
  readonly budget: Budget;
  /** The numbers of the places of separable loops. */
  readonly separable: ReadonlySet<number>;
  readonly keep: (kept: Kept) => void;
}

/** The passes of one template. */
export class KeptPasses {
  #kept: Kept = new Map();

  /** For one render. */
  begin(of: Omit<Recording, 'keep'>): PassRecorder {
    const keep = (kept: Kept): void => {
      this.#kept = kept;
    };
    return new PassRecorder(this.#kept, { ...of, keep });
  }

  /** The next render renders every pass. */
  forget(): void {
    this.#kept = new Map();
  }
}

export class PassRecorder {
  readonly #kept: Kept;
  readonly #of: Recording;
  /** By the number of the pass. */
  readonly #rendered = new Map<number, Rendered>();
  readonly #next = new Map<number, Map<unknown, KeptPass>>();

  constructor(kept: Kept, of: Recording) {
    this.#kept = kept;
    this.#of = of;
  }

  /** The pass of the last render, if it is the same now. What it read and took counts for this render too. */
  recall(item: unknown, { place, site }: { readonly place: number; readonly site: PrintSite }): KeptPass | undefined {
    const { scope, budget } = this.#of;
    const kept = this.#isUsable(place) ? this.#kept.get(place)?.get(item) : undefined;
    if (kept === undefined || !kept.of.reads.every((read) => scope.isSame(read))) return undefined;
    const { spent, reads, members, ms } = kept.of;
    budget.spend(site, spent.characters, spent.steps);
    for (const read of reads) scope.note(read);
    for (const some of members) scope.noteMembers(some);
    scope.savedMs += ms;
    this.#add(kept);
    return kept;
  }

  /** Renders a pass, and records it if it is one of a separable loop. */
  render(item: unknown, of: { readonly place: number; readonly pass: number; readonly render: () => string }): string {
    const { scope, budget } = this.#of;
    if (!this.#isUsable(of.place)) return of.render();
    const [reads, state, before, startMs] = [new PassReads(), stateOf(scope), budget.spent, performance.now()];
    scope.passReads = reads;
    try {
      const text = of.render();
      const { steps, characters } = budget.spent;
      const spent = { steps: steps - before.steps, characters: characters - before.characters };
      if (stateOf(scope) === state)
        this.#rendered.set(of.pass, {
          item,
          place: of.place,
          reads: [...reads.answers.values()],
          members: reads.members,
          spent,
          ms: performance.now() - startMs,
          characters: text.length,
        });
      return text;
    } finally {
      scope.passReads = undefined;
    }
  }

  /** Whether this pass can be kept once it is written. */
  hasRendered(pass: number): boolean {
    return this.#rendered.has(pass);
  }

  /** The text of a pass that {@link hasRendered}. */
  write(pass: number, text: string): void {
    const rendered = this.#rendered.get(pass);
    if (rendered !== undefined) this.#add(new KeptPass(rendered, text));
  }

  /** The render is good. */
  end(): void {
    this.#of.keep(this.#next);
  }

  #add(kept: KeptPass): void {
    const { place, item } = kept.of;
    const passes = this.#next.get(place) ?? new Map<unknown, KeptPass>();
    this.#next.set(place, passes);
    if (passes.size < mostKept) passes.set(item, kept);
  }

  /** Which texts are secret, and what a text means as a query, depends on all that was rendered before. */
  #isUsable(place: number): boolean {
    const { scope, separable } = this.#of;
    return separable.has(place) && scope.passReads === undefined && scope.secrets.texts.size === 0 && !scope.hasListed;
  }
}

/** Of one loop. */
const mostKept = 32_768;

/** Changes with everything that a pass must not do. */
function stateOf({ warned, missing, secrets, deniedReads, hasListed }: RenderScope): string {
  return `${warned} ${missing.size} ${secrets.texts.size} ${deniedReads} ${hasListed}`;
}
