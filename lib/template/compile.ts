import Handlebars from 'handlebars';
import type { TemplateDelimiters } from '../model/template-spec.ts';
import { describeAbsent } from './absent.ts';
import { defaultRenderLimits, type RenderLimits } from './budget.ts';
import type { PrintSite, TemplateFormat } from './format.ts';
import type { HelperDefinition } from './helper.ts';
import { helpers as allHelpers } from './helpers.ts';
import { KeptPasses } from './kept-passes.ts';
import { invalid, type TemplateText } from './parse.ts';
import { findReads, type TemplateReads } from './reads.ts';
import { type RenderResult, renderTemplate } from './render.ts';
import type { RenderWorld } from './scope.ts';
import { findSeparable } from './separable.ts';
import { type CheckedSyntax, checkSyntax } from './syntax.ts';
import { findOperatorSites } from './vars-origin.ts';
import { findVars, type VarsRead } from './vars-read.ts';

export interface CompileInput {
  readonly template: TemplateText;
  /** By the name that `{{> name}}` uses. */
  readonly partials?: ReadonlyMap<string, TemplateText>;
  readonly format: TemplateFormat;
  readonly limits?: Partial<RenderLimits>;
  /** Of tags, in the template and its partials. Default: two braces. */
  readonly delimiters?: TemplateDelimiters;
  /** The path of the file that the output goes to, which it may not read. Default: none. */
  readonly output?: string;
  /** Names of helpers that it may not call. Default: none. */
  readonly denied?: readonly string[];
}

export interface CompiledTemplate {
  readonly file: string;
  readonly format: TemplateFormat;
  /**
   * Pure: the same world renders to the same bytes. Never throws. `kept`: of this template alone; only the time depends on it.
   */
  render(world: RenderWorld, kept?: KeptPasses): RenderResult;
  /** Everything that it may read, in any branch. Pure; never throws. */
  reads(world: RenderWorld): TemplateReads;
  /** Which of `vars` it may read, in any branch. */
  readonly vars: VarsRead;
}

/** Compiles a template. Throws `template-invalid`: every problem on its own line as `file:line:column: what`. */
export function compileTemplate(input: CompileInput): CompiledTemplate {
  const { template, format } = input;
  const partials = input.partials ?? new Map<string, TemplateText>();
  const sites: PrintSite[] = [];
  const options = {
    helpers: allHelpers,
    partials: new Set(partials.keys()),
    sites,
    denied: new Set(input.denied),
    output: input.output,
    delimiters: input.delimiters,
  };
  refuseUnknownNames(template.file, options.denied);
  const main = checkSyntax(template, options);
  const included = checkPartials({ main, partials, check: (text) => checkSyntax(text, options), file: template.file });
  markOrigins(sites, main, included);
  const programs = [main, ...included.values()].map(({ program }) => program);
  const separable = findSeparable(format, { main: main.program, partials: programs.slice(1) });
  const environment = Handlebars.create();
  const compiled = {
    run: environment.compile(main.program, compileOptions(allHelpers)),
    partials: Object.fromEntries(
      [...included].map(([name, { program }]) => [name, environment.compile(program, compileOptions(allHelpers))]),
    ),
    sites,
    separable,
    file: template.file,
    format,
    helpers: onlyCalled([main, ...included.values()]),
    limits: { ...defaultRenderLimits, ...input.limits },
  };
  return {
    file: template.file,
    format,
    render: (world, kept = new KeptPasses()) => renderTemplate(compiled, world, kept),
    reads: (world) => findReads(programs, { sites, helpers: allHelpers, world }),
    vars: findVars(programs),
  };
}

/** Handlebars wraps every helper that a render may call, for each render: so it gets those that the template calls. */
function onlyCalled(parts: readonly CheckedSyntax[]): Readonly<Record<string, HelperDefinition>> {
  return Object.fromEntries(Object.entries(allHelpers).filter(([name]) => parts.some(({ calls }) => calls.has(name))));
}

function markOrigins(sites: PrintSite[], main: CheckedSyntax, included: ReadonlyMap<string, CheckedSyntax>): void {
  const partials = new Map([...included].map(([name, { program }]) => [name, program]));
  for (const number of findOperatorSites(main.program, partials)) {
    const site = sites[number];
    if (site !== undefined) sites[number] = { ...site, origin: 'operator' };
  }
}

/** A misspelt name would leave the helper permitted. */
function refuseUnknownNames(file: string, denied: ReadonlySet<string>): void {
  const unknown = [...denied].filter((name) => !Object.hasOwn(allHelpers, name) && describeAbsent(name) === undefined);
  if (unknown.length === 0) return;
  throw invalid(unknown.map((name) => `${file}:1:1: functionDenylist names "${name}", and there is no such helper.`));
}

function compileOptions(helpers: Readonly<Record<string, HelperDefinition>>): CompileOptions {
  const known = Object.fromEntries([...Object.keys(helpers), '$print', '$number'].map((name) => [name, true]));
  // The writer escapes values (lib/template/output.ts): Handlebars' own escaping is for HTML.
  return { noEscape: true, knownHelpers: known, knownHelpersOnly: true };
}

/** The checked partials that `main` includes, directly or not. A partial that includes itself would never end. */
function checkPartials(input: {
  main: CheckedSyntax;
  partials: ReadonlyMap<string, TemplateText>;
  check: (text: TemplateText) => CheckedSyntax;
  file: string;
}): ReadonlyMap<string, CheckedSyntax> {
  const checked = new Map<string, CheckedSyntax>();
  const visit = (from: CheckedSyntax, path: readonly string[]): void => {
    for (const name of from.includes) {
      if (path.includes(name)) {
        throw invalid([`${input.file}:1:1: partial "${name}" includes itself: ${[...path, name].join(' > ')}.`]);
      }
      const text = input.partials.get(name);
      if (text === undefined) continue;
      const syntax = checked.get(name) ?? input.check(text);
      checked.set(name, syntax);
      visit(syntax, [...path, name]);
    }
  };
  visit(input.main, []);
  return checked;
}
