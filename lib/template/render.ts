import type Handlebars from 'handlebars';
import { SwitchmasterError } from '../errors.ts';
import type { ConsulQuery } from '../model/query.ts';
import { Redactor } from '../model/redaction.ts';
import { bindHelper, siteOf } from './bound-helper.ts';
import { type Budget, makeBudget, type RenderLimits } from './budget.ts';
import { describeRepeatedVariables } from './env-names.ts';
import { Markup, type Placeholder, type PrintSite, type TemplateFormat } from './format.ts';
import { judgeHaproxy } from './haproxy-judgement.ts';
import type { HelperDefinition } from './helper.ts';
import { type KeptPasses, PassRecorder } from './kept-passes.ts';
import { limitPartials } from './limited-partials.ts';
import { toFloat, toNumeric } from './number.ts';
import type { WrittenOutput } from './output.ts';
import { PassTracker, writePasses } from './passes.ts';
import { printable } from './printable.ts';
import { redactError } from './redacted-error.ts';
import { contextOf, RenderScope, type RenderWorld } from './scope.ts';

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
  /** The time that the passes took which were taken from the last render, in milliseconds. */
  readonly savedMs: number;
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
  /** The numbers of the sites of loops whose passes may be kept. */
  readonly separable: ReadonlySet<number>;
}

/** Renders. With `kept`, it takes the passes that are the same as in the last render from there, and leaves its own there. */
export function renderTemplate(parts: CompiledParts, world: RenderWorld, kept: KeptPasses): RenderResult {
  const result = renderOnce(parts, world, kept);
  if (result !== undefined) return result;
  kept.forget();
  // Without kept passes, it takes none.
  return renderTemplate(parts, world, kept);
}

/**
 * Renders once. While Handlebars runs, the text has a numbered mark in place of each printed value. No template and no value
 * can forge a mark. Afterwards the format's writer replaces the marks with the values, escaped for their context.
 *
 * undefined if passes of the last render were taken, and something happens for which every pass has to be rendered.
 */
function renderOnce(parts: CompiledParts, world: RenderWorld, kept: KeptPasses): RenderResult | undefined {
  const scope = new RenderScope(world);
  const budget = makeBudget(parts.limits);
  const recorder = new PassRecorder(kept, { scope, budget, limits: parts.limits, separable: parts.separable });
  const outcome = attempt(() => run(parts, { scope, budget, recorder }), scope);
  const isWhole = outcome?.kind === 'rendered' && outcome.isRegular;
  if (recorder.hasRecalled && !isWhole) return undefined;
  const isPending = scope.missing.size + scope.missingFiles.size > 0;
  if (!isWhole) kept.forget();
  else if (!isPending) recorder.commit();
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
    savedMs: recorder.savedMs,
  };
  // The unknown value itself may cause this error.
  if (outcome === undefined || isPending)
    return { kind: 'pending', missing: [...scope.missing.values()], missingFiles: [...scope.missingFiles], ...common };
  if (outcome.kind === 'failed') return { ...outcome, limit: budget.limit, ...common };
  return { kind: 'rendered', text: outcome.text, shown: outcome.shown, ...common };
}

type Outcome =
  | (RegularOutput & { readonly kind: 'rendered' })
  | { readonly kind: 'failed'; readonly error: SwitchmasterError };

function attempt(render: () => RegularOutput | undefined, { secrets }: RenderScope): Outcome | undefined {
  try {
    const output = render();
    return output === undefined ? undefined : { kind: 'rendered', ...output };
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

interface RegularOutput extends WrittenOutput {
  readonly isRegular: boolean;
}

/** undefined where a kept pass does not fit. */
function run(
  parts: CompiledParts,
  { scope, budget, recorder }: { scope: RenderScope; budget: Budget; recorder: PassRecorder },
): RegularOutput | undefined {
  const placeholders: Placeholder[] = [];
  const passes = new PassTracker(recorder);
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
    partials: limitPartials(parts, { budget, passes }),
    allowProtoMethodsByDefault: false,
    allowProtoPropertiesByDefault: false,
  });
  const output = withFile(parts.file, () => {
    const { pieces, spans } = passes.split(marked, placeholders);
    const placed = { pieces, spans: recorder.isRegular() ? spans : [] };
    const written = writePasses(parts.format, placed, ({ message }) => {
      scope.warnings.add(`${redactorOf(scope.secrets).redact(message)} The loop leaves this item out.`);
    });
    const isRegular = recorder.isRegular();
    if (written === undefined) return undefined;
    if (parts.format === 'haproxy') judgeHaproxy(written.text, scope);
    if (parts.format === 'env') for (const one of describeRepeatedVariables(written.text)) scope.warnings.add(one);
    return { ...written, isRegular };
  });
  if (output !== undefined) budget.measureOutput(parts.file, output.text);
  return output;
}

function lengthOf(value: unknown): number {
  const text = value instanceof Markup ? value.text : value;
  return typeof text === 'string' ? text.length : 0;
}

function withFile<T>(file: string, write: () => T): T {
  try {
    return write();
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown, 'template-failed');
    if (error.details.line !== undefined) throw error;
    throw new SwitchmasterError(error.code, `${file}: ${error.message}`, { cause: error });
  }
}
