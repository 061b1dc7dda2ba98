import { type HclEntry, type HclValue, parseHcl } from '../hcl.ts';
import type { ImportFile, ImportResult, ReadFile } from '../output.ts';
import { ImportOutput } from '../output.ts';
import { Block } from './consul-template-block.ts';
import { importConsulSection } from './consul-template-consul.ts';
import { type ImportedEntry, importTemplateBlock } from './consul-template-entry.ts';
import { importExec } from './consul-template-exec.ts';

const levels: Readonly<Record<string, string>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  err: 'error',
};

/** Settings that need nothing here, with what replaces them. */
const replaced: Readonly<Record<string, string>> = {
  reload_signal: 'the daemon reloads on HUP',
  kill_signal: 'the daemon stops on TERM and INT',
  block_query_wait: 'a change arrives at once, however long a query waits',
  template_error_fatal: 'the daemon never ends because of a template',
  err_on_failed_lookup: 'a missing value is always an error, and the last file stays',
  deduplicate: 'the daemon reads many services with few connections',
  syslog: 'the log goes to standard error, and systemd or the container keeps it',
  log_file: 'the log goes to standard error, and systemd or the container keeps it',
  once: 'run switchmaster render --once',
  default_left_delimiter: 'the delimiters are applied',
  default_right_delimiter: 'the delimiters are applied',
};

const refused: Readonly<Record<string, string>> = {
  vault: 'switchmaster does not read Vault: let Vault Agent write a file, and read it with file',
  nomad: 'switchmaster does not read Nomad: register the services in Consul, and use service',
};

/** Config files of consul-template, HCL or JSON, and the templates that they name. */
export async function importConsulTemplate(files: readonly ImportFile[], read: ReadFile): Promise<ImportResult> {
  const output = new ImportOutput();
  const all = files.flatMap((file) =>
    parseHcl(file.path, file.text).entries.map((entry) => ({ file: file.path, entry })),
  );
  const defaults = defaultsOf(
    all.map(({ file, entry }) => new Block(output, { file, entries: [entry], line: entry.line })),
  );
  const config: Record<string, unknown> = {};
  const templates: ImportedEntry[] = [];
  for (const { file, entry } of all) {
    if (entry.key === 'template') {
      for (const value of blocksOf(entry)) {
        const block = new Block(output, {
          file,
          entries: value.kind === 'object' ? value.entries : [],
          line: value.line,
        });
        templates.push(await importTemplateBlock(block, { output, read, defaults }));
      }
    } else {
      importSetting({ file, entry }, { output, config });
    }
  }
  importExec(all, { output, templates });
  if (templates.length === 0) {
    const advice = 'write those of the command line (-template) to templates';
    output.leave(files[0]?.path ?? '', { line: 1, what: 'template', why: 'no file has a template', advice });
  }
  if (templates.length > 0) config.templates = templates.map(({ settings }) => settings);
  return output.finish(config);
}

function defaultsOf(blocks: readonly Block[]): ReadonlyMap<string, HclEntry> {
  return new Map(blocks.flatMap((block) => block.entries.map((entry) => [entry.key, entry] as const)));
}

/** `template` is written several times, or once with a list. */
function blocksOf({ value }: HclEntry): readonly HclValue[] {
  return value.kind === 'list' ? value.items : [value];
}

function importSetting(
  { file, entry }: { readonly file: string; readonly entry: HclEntry },
  { output, config }: { readonly output: ImportOutput; readonly config: Record<string, unknown> },
): void {
  const { key, value, line } = entry;
  const block = new Block(output, { file, entries: [entry], line });
  switch (key) {
    // Of several, the last one counts.
    case 'consul':
      config.consul = { ...(config.consul ?? {}), ...importConsulSection(block.nested('consul'), output) };
      return;
    case 'log_level':
      config.log = { level: levels[(block.text(key) ?? 'warn').toLowerCase()] ?? 'info' };
      return;
    case 'pid_file':
      importPidFile(block.text(key), { file, line }, { output, config });
      return;
    case 'max_stale':
      config.consul = { ...(config.consul ?? {}), maxStale: block.duration(key) };
      return;
    case 'wait':
    case 'exec':
      return;
    default:
      if (value.kind === 'text' && value.text === '') return;
      if (replaced[key] !== undefined)
        output.differs(file, { line, what: key, why: `${key} has no effect here`, advice: replaced[key] });
      else output.leave(file, { line, what: key, ...unknown(key) });
  }
}

function importPidFile(
  path: string | undefined,
  { file, line }: { readonly file: string; readonly line: number },
  { output, config }: { readonly output: ImportOutput; readonly config: Record<string, unknown> },
): void {
  if (path === undefined) return;
  output.expectAbsolute(file, { line, what: 'pid_file', path });
  config.pidFile = path;
}

function unknown(key: string): { readonly why: string; readonly advice: string } {
  const advice = refused[key];
  if (advice !== undefined) return { why: `${key} is not imported`, advice };
  return { why: `switchmaster has no setting for ${key}`, advice: 'see docs/reference/config.md for what it has' };
}
