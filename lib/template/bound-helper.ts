import type Handlebars from 'handlebars';
import { atSite, type Budget } from './budget.ts';
import type { PrintSite } from './format.ts';
import { type HelperBlock, type HelperDefinition, noBlock } from './helper.ts';
import { makers } from './helpers.ts';
import { plainNumber } from './number.ts';
import type { PassTracker } from './passes.ts';
import type { RenderScope } from './scope.ts';

/** Helpers that compute their result from their arguments. The results of all others come from Consul. */
const makes = new Set<HelperDefinition>(Object.values(makers));

interface Sites {
  readonly sites: readonly PrintSite[];
  readonly file: string;
}

/** A helper as Handlebars calls it in one render. Its errors name the place of the call. */
export function bindHelper(input: {
  definition: HelperDefinition;
  scope: RenderScope;
  parts: Sites;
  passes: PassTracker;
  budget: Budget;
}): Handlebars.HelperDelegate {
  const { budget, parts } = input;
  return function call(this: unknown, ...given: unknown[]) {
    const options = given.pop() as Handlebars.HelperOptions;
    const site = siteOf(parts, options);
    budget.spend(site);
    for (const one of given) budget.measure(site, one);
    try {
      const { definition, scope } = input;
      const result = definition.run({
        args: definition.typed === true ? given : given.map(plainNumber),
        options: namedOf(options.hash),
        scope,
        block: definition.kind === 'block' ? makeBlock(this, { options, site, ...input }) : noBlock,
      });
      budget.measure(site, result);
      if (makes.has(definition)) scope.secrets.trace({ args: given, result });
      return result;
    } catch (thrown) {
      throw atSite(site, thrown);
    }
  };
}

function namedOf({ $site, ...named }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return named;
}

function makeBlock(
  outer: unknown,
  input: { options: Handlebars.HelperOptions; site: PrintSite; budget: Budget; passes: PassTracker },
): HelperBlock {
  const { options, site, budget, passes } = input;
  const within = (write: () => string): string => {
    const { text, characters } = passes.measure(write);
    budget.spend(site, characters);
    return text;
  };
  return {
    outer,
    render(context, extra) {
      if (extra === undefined) return within(() => options.fn(context));
      // What `createFrame` of Handlebars does, without its loop over the fields.
      const data = { ...options.data, _parent: options.data, ...extra.data };
      return within(() => options.fn(context, { data, blockParams: [...extra.blockParams] }));
    },
    renderElse: (context) => within(() => options.inverse(context)),
    loop: (render) => passes.loop({ place: placeOf(options), site }, render),
  };
}

function placeOf({ hash }: Handlebars.HelperOptions): number {
  return Number(hash.$site);
}

/** Where a call is in the template. */
export function siteOf(parts: Sites, options: Handlebars.HelperOptions): PrintSite {
  const site = parts.sites[placeOf(options)];
  return site ?? { file: parts.file, line: 1, column: 1, text: '' };
}
