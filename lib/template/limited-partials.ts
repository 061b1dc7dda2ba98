import type { Budget } from './budget.ts';
import type { PassTracker } from './passes.ts';

type Partials = Readonly<Record<string, HandlebarsTemplateDelegate>>;

/** A partial that includes others twice, which do the same, takes steps without any helper. */
export function limitPartials(
  { partials, file }: { readonly partials: Partials; readonly file: string },
  { budget, passes }: { readonly budget: Budget; readonly passes: PassTracker },
): Partials {
  const limited = Object.entries(partials).map(([name, render]) => {
    const site = { file, line: 1, column: 1, text: `> ${name}` };
    const spend = (...given: Parameters<typeof render>): string => {
      budget.spend(site);
      const { text, characters } = passes.measure(() => render(...given));
      budget.spend(site, characters);
      return text;
    };
    return [name, spend] as const;
  });
  return Object.fromEntries(limited);
}
