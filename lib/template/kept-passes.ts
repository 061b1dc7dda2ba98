import type { Budget, Spent } from './budget.ts';
import type { Placeholder, PrintSite } from './format.ts';
import { type PassRead, PassReads } from './pass-reads.ts';
import type { RenderScope } from './scope.ts';

/*
 * The passes of separable loops (separable.ts), from one render to the next. A template with thousands of services renders the pass
 * of the one that changed, and takes the texts of all others from the last render.
 *
 * A render ends anywhere if it takes too long. So it leaves its passes to the next one in a single step, at its end.
 */

/** A pass as it was written, from the beginning of a line to the end of one. It had no secret, no warning and no missing answer. */
export class KeptPass {
  readonly item: unknown;
  readonly reads: readonly PassRead[];
  readonly members: readonly (readonly string[])[];
  readonly spent: Spent;
  /** What it was written from, for a render in which it is not at the beginning of a line. */
  readonly pieces: readonly (string | Placeholder)[];
  readonly text: string;

  constructor(pass: Pick<KeptPass, 'item' | 'reads' | 'members' | 'spent' | 'pieces' | 'text'>) {
    this.item = pass.item;
    this.reads = pass.reads;
    this.members = pass.members;
    this.spent = pass.spent;
    this.pieces = pass.pieces;
    this.text = pass.text;
  }
}

type Kept = ReadonlyMap<number, ReadonlyMap<unknown, KeptPass>>;
/** A pass that was rendered and is not written yet. */
interface Rendered extends Pick<KeptPass, 'item' | 'reads' | 'members' | 'spent'> {
  readonly place: number;
}

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
    if (kept === undefined || !kept.reads.every((read) => scope.isSame(read))) return undefined;
    budget.spend(site, kept.spent.characters, kept.spent.steps);
    for (const read of kept.reads) scope.note(read);
    for (const members of kept.members) scope.noteMembers(members);
    this.#add(place, kept);
    return kept;
  }

  /** Renders a pass, and records it if it is one of a separable loop. */
  render(item: unknown, of: { readonly place: number; readonly pass: number; readonly render: () => string }): string {
    const { scope, budget } = this.#of;
    if (!this.#isUsable(of.place)) return of.render();
    const [reads, state, before] = [new PassReads(), stateOf(scope), budget.spent];
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
  write(pass: number, written: Pick<KeptPass, 'pieces' | 'text'>): void {
    const rendered = this.#rendered.get(pass);
    if (rendered !== undefined) this.#add(rendered.place, new KeptPass({ ...rendered, ...written }));
  }

  /** The render is good. */
  end(): void {
    this.#of.keep(this.#next);
  }

  #add(place: number, kept: KeptPass): void {
    const passes = this.#next.get(place) ?? new Map<unknown, KeptPass>();
    this.#next.set(place, passes);
    if (passes.size < mostKept) passes.set(kept.item, kept);
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
function stateOf({ warnings, missing, secrets, deniedReads, hasListed }: RenderScope): string {
  return `${warnings.size} ${missing.size} ${secrets.texts.size} ${deniedReads} ${hasListed}`;
}
