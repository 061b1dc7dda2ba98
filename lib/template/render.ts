import type Handlebars from 'handlebars';
import { SwitchmasterError } from '../errors.ts';
import type { ConsulQuery } from '../model/query.ts';
import { Redactor } from '../model/redaction.ts';
import { atSite, type Budget, makeBudget, type RenderLimits } from './budget.ts';
import { describeRepeatedVariables } from './env-names.ts';
import { Markup, type Placeholder, type PrintSite, type TemplateFormat } from './format.ts';
import { judgeHaproxy } from './haproxy-judgement.ts';
import { type HelperBlock, type HelperDefinition, noBlock } from './helper.ts';
import { makers } from './helpers.ts';
import { plainNumber, toFloat, toNumeric } from './number.ts';
import type { WrittenOutput } from './output.ts';
import { PassTracker, writePasses } from './passes.ts';
import { printable } from './printable.ts';
import { redactError } from './redacted-error.ts';
import { contextOf, RenderScope, type RenderWorld } from './scope.ts';

/** Helpers that compute their result from their arguments. The results of all others come from Consul. */
const makes = new Set<HelperDefinition>(Object.values(makers));

interface RenderCommon {
  /** Everything that the render read, by id, in order. */
  readonly dependencies: readonly ConsulQuery[];
  /** Paths of the files that it reads. */
  readonly files: readonly string[];
  /** Sorted ids of the servers that the render read, for guards. */
  readonly members: readonly string[];
  /** Ids of the queries for lists in Consul, by what the lists hold; sorted. */
  readonly lists: { readonly filled: readonly string[]; readonly empty: readonly string[] };
  /** `host:port` of each master that the render read, by name. */
  readonly masters: ReadonlyMap<string, string>;
  /** Whether the render read records of masters. */
  readonly records: 'read' | 'not-read';
  /** Whether the output may contain the time. */
  readonly time: 'read' | 'not-read';
  /** Sentences about what the template leaves out of its output. */
  readonly warnings: readonly string[];
  /** Why the output must not take effect. The addresses of servers in it are right. */
  readonly refusal: string | undefined;
  /** The values of `file` and `env`, and values computed from them. No message may contain them. */
  readonly secrets: readonly string[];
}

/** `pending`: something that the template reads is not known yet, so the output is unknown. */
export type RenderResult =
  | (RenderCommon & WrittenOutput & { readonly kind: 'rendered' })
  | (RenderCommon & {
      readonly kind: 'pending';
      readonly missing: readonly ConsulQuery[];
      readonly missingFiles: readonly string[];
    })
  /** `limit`: whether it reached one of its limits. */
  | (RenderCommon & { readonly kind: 'failed'; readonly error: SwitchmasterError; readonly limit: Budget['limit'] });

export interface CompiledParts {
  readonly run: HandlebarsTemplateDelegate;
  readonly partials: Readonly<Record<string, HandlebarsTemplateDelegate>>;
  readonly sites: readonly PrintSite[];
  readonly file: string;
  readonly format: TemplateFormat;
  readonly helpers: Readonly<Record<string, HelperDefinition>>;
  readonly limits: RenderLimits;
}

/**
 * Renders once. While Handlebars runs, the text has a numbered mark in place of each printed value. No template and no value
 * can forge a mark. Afterwards the format's writer replaces the marks with the values, escaped for their context.
 */
export function renderTemplate(parts: CompiledParts, world: RenderWorld): RenderResult {
  const scope = new RenderScope(world);
  const budget = makeBudget(parts.limits);
  const outcome = attempt(() => run(parts, scope, budget), scope);
  const common = {
    dependencies: [...scope.dependencies.values()],
    files: [...scope.files],
    members: [...scope.members].sort(),
    lists: { filled: [...scope.lists.filled].sort(), empty: [...scope.lists.empty].sort() },
    masters: scope.masters,
    records: scope.records,
    time: scope.time,
    warnings: [...scope.warnings],
    refusal: scope.refusal,
    secrets: [...scope.secrets.texts],
  };
  // The unknown value itself may cause this error.
  if (scope.missing.size + scope.missingFiles.size > 0)
    return { kind: 'pending', missing: [...scope.missing.values()], missingFiles: [...scope.missingFiles], ...common };
  return outcome.kind === 'failed' ? { ...outcome, limit: budget.limit, ...common } : { ...outcome, ...common };
}

function attempt(
  render: () => WrittenOutput,
  { secrets }: RenderScope,
): (WrittenOutput & { readonly kind: 'rendered' }) | { readonly kind: 'failed'; readonly error: SwitchmasterError } {
  try {
    return { kind: 'rendered', ...render() };
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown, 'template-failed');
    return { kind: 'failed', error: secrets.texts.size === 0 ? error : redactError(error, redactorOf(secrets)) };
  }
}

function redactorOf({ texts }: RenderScope['secrets']): Redactor {
  const redactor = new Redactor();
  redactor.learn([...texts]);
  return redactor;
}

function run(parts: CompiledParts, scope: RenderScope, budget: Budget): WrittenOutput {
  const placeholders: Placeholder[] = [];
  const passes = new PassTracker();
  const bound: Record<string, Handlebars.HelperDelegate> = {
    $print: function $print(value: unknown, options: Handlebars.HelperOptions) {
      const site = siteOf(parts, options);
      budget.spend(site, lengthOf(value));
      const secrecy = scope.secrets.has(value) ? 'secret' : 'open';
      placeholders.push({ value: printable(value, site), site, secrecy });
      return `\u0000${placeholders.length - 1}\u0000`;
    },
  };
  bound.$number = (written: string) => (written.includes('.') ? toFloat(Number(written)) : toNumeric(written));
  for (const [name, definition] of Object.entries(parts.helpers)) {
    bound[name] = bindHelper({ definition, scope, parts, passes, budget });
  }
  const context = contextOf(scope.world);
  const marked = parts.run(context, {
    helpers: bound,
    partials: limitPartials(parts, budget),
    allowProtoMethodsByDefault: false,
    allowProtoPropertiesByDefault: false,
  });
  const output = withFile(parts.file, () => {
    const written = writePasses(parts.format, passes.split(marked, placeholders), ({ message }) => {
      scope.warnings.add(`${redactorOf(scope.secrets).redact(message)} The loop leaves this item out.`);
    });
    if (parts.format === 'haproxy') judgeHaproxy(written.text, scope);
    if (parts.format === 'env') for (const one of describeRepeatedVariables(written.text)) scope.warnings.add(one);
    return written;
  });
  budget.measureOutput(parts.file, output.text);
  return output;
}

function bindHelper(input: {
  definition: HelperDefinition;
  scope: RenderScope;
  parts: CompiledParts;
  passes: PassTracker;
  budget: Budget;
}): Handlebars.HelperDelegate {
  return function call(this: unknown, ...given: unknown[]) {
    const options = given.pop() as Handlebars.HelperOptions;
    const site = siteOf(input.parts, options);
    const { budget } = input;
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

/** A partial that includes others twice, which do the same, takes steps without any helper. */
function limitPartials({ partials, file }: CompiledParts, budget: Budget): CompiledParts['partials'] {
  const limited = Object.entries(partials).map(([name, render]) => {
    const site = { file, line: 1, column: 1, text: `> ${name}` };
    const spend = (...given: Parameters<typeof render>): string => {
      budget.spend(site);
      const text = render(...given);
      budget.spend(site, text.length);
      return text;
    };
    return [name, spend] as const;
  });
  return Object.fromEntries(limited);
}

function lengthOf(value: unknown): number {
  const text = value instanceof Markup ? value.text : value;
  return typeof text === 'string' ? text.length : 0;
}

function makeBlock(
  outer: unknown,
  input: { options: Handlebars.HelperOptions; site: PrintSite; budget: Budget; passes: PassTracker },
): HelperBlock {
  const { options, site, budget, passes } = input;
  const within = (text: string): string => {
    budget.spend(site, text.length);
    return text;
  };
  return {
    outer,
    render(context, extra) {
      if (extra === undefined) return within(options.fn(context));
      // What `createFrame` of Handlebars does, without its loop over the fields.
      const data = { ...options.data, _parent: options.data, ...extra.data };
      return within(options.fn(context, { data, blockParams: [...extra.blockParams] }));
    },
    renderElse: (context) => within(options.inverse(context)),
    loop: (render) => passes.loop(render),
  };
}

function withFile(file: string, write: () => WrittenOutput): WrittenOutput {
  try {
    return write();
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown, 'template-failed');
    if (error.details.line !== undefined) throw error;
    throw new SwitchmasterError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}

function siteOf(parts: CompiledParts, options: Handlebars.HelperOptions): PrintSite {
  const site = parts.sites[Number(options.hash.$site)];
  return site ?? { file: parts.file, line: 1, column: 1, text: '' };
}
