import { Argument, type Command } from 'commander';
import { type ImportKind, importKinds } from '../lib/import/kind.ts';
import type { ImportResult } from '../lib/import/output.ts';
import type { Remark } from '../lib/import/remark.ts';
import type { ExitCode } from './exit-code.ts';
import { jsonOption } from './option.ts';
import { printJson, stripControls, styled } from './terminal.ts';

interface ImportOptions {
  readonly out?: string;
  readonly json?: true;
}

const help = `
Kinds and their files:
  redis-twemproxy-agent    the script that starts it, or its lib/cli.js; then twemproxy's config
  smitty                   its YAML; then twemproxy's config
  redishappy               its config.json
  consul-template          its config, HCL or JSON
  consul-templaterb        templates that end with .erb
  client-reconfig-script   the sentinel.conf that names the script

Files that these name are read too, if they are here. What has no equivalent is marked at its place, and listed on standard
error with its line; switchmaster check refuses the result until you have written it. Nothing but the folder is written.

Exit codes: 0 all of it is imported, 1 something is left to do by hand, 2 wrong usage, or a file of another kind.

Examples:
  $ switchmaster import consul-template /etc/consul-template.d/haproxy.hcl
  $ switchmaster import smitty smitty.yml nutcracker.yml --out ./switchmaster`;

export function addImport(program: Command, done: (code: ExitCode) => void): void {
  program
    .command('import')
    .description('Translate the config and the templates of another program.')
    .addArgument(new Argument('<kind>', 'the program').choices(importKinds))
    .argument('<file...>', 'its config or templates')
    .option('--out <folder>', 'write a new folder; default: print everything')
    .addOption(jsonOption())
    .addHelpText('after', help)
    .action(async (kind: ImportKind, files: readonly string[], options: ImportOptions) => {
      done(await runImport({ kind, files }, options));
    });
}

async function runImport(
  { kind, files }: { readonly kind: ImportKind; readonly files: readonly string[] },
  { out, json }: ImportOptions,
): Promise<ExitCode> {
  const { importFiles } = await import('../lib/import/import.ts');
  const { writeFolder } = await import('../lib/import/folder.ts');
  const result = await importFiles(kind, files);
  if (out !== undefined) await writeFolder(out, result.files);
  if (json === true) printJson(result);
  else if (out === undefined) printFiles(result);
  else for (const { name } of result.files) process.stdout.write(`${out}/${name}\n`);
  if (json !== true) for (const remark of result.remarks) process.stderr.write(`${describeRemark(remark)}\n`);
  return result.remarks.some((remark) => remark.kind === 'todo') ? 1 : 0;
}

function printFiles({ files }: ImportResult): void {
  for (const { name, text } of files) process.stdout.write(`==> ${name} <==\n${text.replace(/\n?$/, '\n')}\n`);
}

function describeRemark({ kind, file, line, what, why, advice }: Remark): string {
  const label = kind === 'todo' ? styled('red', 'to do') : styled('yellow', 'differs');
  const shown = what.length > 100 ? `${what.slice(0, 100)}…` : what;
  return `${label}  ${stripControls(`${file}:${line}: ${shown}: ${why}: ${advice}.`)}`;
}
