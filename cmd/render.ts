import { type Command, InvalidArgumentError } from 'commander';
import type { Config } from '../lib/config/model.ts';
import type { Watches } from '../lib/consul/watches.ts';
import { SwitchmasterError } from '../lib/errors.ts';
import type { Outcome } from '../lib/loop/outcome.ts';
import type { TemplateSpec } from '../lib/model/template-spec.ts';
import { adoptFiles } from './adoption.ts';
import { chooseConfig } from './config-paths.ts';
import type { ExitCode } from './exit-code.ts';
import { configOption, jsonOption } from './option.ts';
import { suggest } from './suggestion.ts';
import { printJson, printLine, stripControls, styled } from './terminal.ts';
import { diffLines } from './text-diff.ts';

interface RenderOptions {
  readonly config: readonly string[];
  readonly once?: true;
  readonly dryRun?: true;
  readonly diff?: true;
  readonly adopt?: true;
  readonly template: readonly string[];
  readonly timeout: number;
  readonly json?: true;
}

/** The result of one template. */
interface Result {
  readonly name: string;
  readonly destination: string;
  readonly result: 'written' | 'unchanged' | 'would-change' | 'held' | 'failed';
  readonly message?: string;
  readonly text?: string;
  readonly before?: string | null;
}

const help = `
Without --dry-run, it writes every template once with the steps of the daemon: check, swap, reload, verify.

Exit codes: 0 done, 1 a template failed or is held, 2 a config that cannot be used.

Example:
  $ switchmaster render --config /etc/switchmaster --dry-run --diff`;

export function addRender(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('render')
    .description('Render the templates once, without a daemon.')
    .addOption(configOption())
    .option('--once', 'no effect: render always runs once')
    .option('--dry-run', 'change nothing; print what would be written')
    .option('--diff', 'print how each file changes')
    .option('--adopt', 'also replace files that switchmaster did not write; keep each beside it under a dated name')
    .option('-t, --template <name>', 'render this template only; may be repeated', collect, [])
    .option('--timeout <seconds>', 'how long Consul may take to answer', readSeconds, 10)
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (options: RenderOptions) => {
      done(await render(options));
    });
}

async function render(options: RenderOptions): Promise<ExitCode> {
  const { loadConfig } = await import('../lib/config/load.ts');
  const { ConsulPart } = await import('../lib/consul/part.ts');
  const config = await loadConfig({ paths: await chooseConfig(options.config), environment: process.env });
  const specs = chooseTemplates(options.adopt === true ? adoptFiles(config) : config, options.template);
  if (specs.length === 0) process.stderr.write('nothing to render: the config has no templates\n');
  const consul = new ConsulPart(config.consul);
  try {
    const results: Result[] = [];
    for (const spec of specs) {
      const result = await renderTemplate({ spec, config, watches: consul.watches, options });
      results.push(result);
      if (options.json !== true) printResult(result, options);
    }
    if (options.json === true) printJson({ templates: results });
    return results.some(({ result }) => result === 'failed' || result === 'held') ? 1 : 0;
  } finally {
    await consul.stop();
  }
}

async function renderTemplate(input: {
  spec: TemplateSpec;
  config: Config;
  watches: Watches;
  options: RenderOptions;
}): Promise<Result> {
  const { secretsOf } = await import('../lib/daemon/secrets.ts');
  const { previewTemplate, renderOnce } = await import('../lib/renderer/once.ts');
  const { spec, config, watches, options } = input;
  const { name, destination } = spec;
  const signal = new AbortController().signal;
  const { environment, publish } = config;
  const given = {
    spec,
    environment,
    publish,
    watches,
    secrets: secretsOf(config),
    timeoutMs: options.timeout * 1_000,
    signal,
  };
  const preview = await previewTemplate(given);
  if (preview.kind === 'failed') return { name, destination, result: 'failed', message: preview.error.message };
  const { text, before } = preview;
  const seen = { name, destination, text, before: before ?? null };
  if (spec.upkeep === 'seed' && before !== undefined) return { ...seen, text: before, result: 'unchanged' };
  if (options.dryRun === true && preview.kind === 'held') return { ...seen, result: 'held', message: preview.reason };
  if (options.dryRun === true)
    return { ...seen, result: preview.kind === 'rendered' && preview.change === 'none' ? 'unchanged' : 'would-change' };
  const outcome = await renderOnce(given);
  switch (outcome.kind) {
    case 'applied':
      return { ...seen, result: 'written', message: [outcome.summary, ...warningsOf(outcome)].join(' ') };
    case 'unchanged':
      return { ...seen, result: 'unchanged' };
    case 'held':
    case 'fenced':
      return { ...seen, result: 'held', message: outcome.summary };
    case 'failed':
      return { ...seen, result: 'failed', message: outcome.error.message };
  }
}

function warningsOf({ details }: Outcome): readonly string[] {
  return (details?.warnings ?? []) as readonly string[];
}

function chooseTemplates(config: Config, names: readonly string[]): readonly TemplateSpec[] {
  const unknown = names.filter((name) => !config.templates.some((template) => template.name === name));
  if (unknown.length > 0) {
    const known = config.templates.map(({ name }) => name);
    const hint = suggest(unknown[0] ?? '', { among: known, otherwise: `known: ${known.join(', ') || 'none'}` });
    throw new SwitchmasterError('not-found', `There is no template ${unknown.join(', ')} (${hint}).`);
  }
  return config.templates.filter(({ name }) => names.length === 0 || names.includes(name));
}

function printResult(result: Result, options: RenderOptions): void {
  const style = result.result === 'failed' ? 'red' : result.result === 'held' ? 'yellow' : 'bold';
  const message = result.message === undefined ? '' : `: ${stripControls(result.message)}`;
  printLine(`${styled(style, result.result)} ${stripControls(result.destination)}${message}`);
  if (result.text === undefined) return;
  // An operator decides about a held text by its difference.
  const stays = result.result === 'held' && result.before != null && options.dryRun !== true;
  if (options.diff === true || stays) printDiff(result.before ?? '', result.text);
  else if (options.dryRun === true) process.stdout.write(result.text);
}

function printDiff(before: string, after: string): void {
  for (const { side, text } of diffLines(before, after)) {
    const line = `${side}${stripControls(text)}`;
    printLine(side === ' ' ? line : styled(side === '+' ? 'green' : 'red', line));
  }
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function readSeconds(value: string): number {
  const seconds = Number(value);
  if (Number.isFinite(seconds) && seconds > 0) return seconds;
  throw new InvalidArgumentError('It is not a number of seconds.');
}
