import { toArgv } from '../command.ts';
import type { HclEntry } from '../hcl.ts';
import type { ImportOutput, ReadFile } from '../output.ts';
import { Block, isDuration } from './consul-template-block.ts';

/** An entry of `templates` in the config. */
export interface ImportedEntry {
  readonly file: string;
  readonly line: number;
  readonly settings: Record<string, unknown>;
}

interface Around {
  readonly output: ImportOutput;
  readonly read: ReadFile;
  /** The settings of the process, by name. */
  readonly defaults: ReadonlyMap<string, HclEntry>;
}

/** Settings of a template that need nothing here. */
const replaced = ['error_on_missing_key', 'error_fatal'] as const;

export async function importTemplateBlock(block: Block, around: Around): Promise<ImportedEntry> {
  const { file, line } = block;
  const source = await importSource(block, around);
  for (const key of replaced) {
    if (block.entry(key) !== undefined)
      block.differs(key, `${key} has no effect here`, 'a missing value is always an error, and the last file stays');
  }
  const owner = block.text('user') ?? block.text('uid');
  const group = block.text('group') ?? block.text('gid');
  const mode = block.text('perms');
  const destination = block.text('destination');
  if (destination === undefined)
    block.leave('destination', 'the destination is missing', 'write templates[].destination');
  else
    around.output.expectAbsolute(file, { line: block.lineOf('destination'), what: 'destination', path: destination });
  const settings: Record<string, unknown> = {
    source,
    destination: destination ?? 'TODO',
    // As in consul-template, where that is the default.
    ...(block.boolean('create_dest_dirs') === false ? {} : { createDestDirs: true }),
    ...(mode === undefined ? {} : { mode: mode.replace(/^0o?/, '0') }),
    ...(owner === undefined ? {} : { owner: numberOr(owner) }),
    ...(group === undefined ? {} : { group: numberOr(group) }),
    ...(block.boolean('backup') === true ? { backup: true } : {}),
    ...importLimits(block),
    ...importWait(block, around.defaults),
    ...importCommand(block),
  };
  block.close('template');
  return { file, line, settings };
}

function numberOr(text: string): string | number {
  return /^\d+$/.test(text) ? Number(text) : text;
}

async function importSource(block: Block, { output, read, defaults }: Around): Promise<string> {
  const { file } = block;
  const general = new Block(output, { file, line: block.line, entries: [...defaults.values()] });
  const left = block.text('left_delimiter') ?? general.text('default_left_delimiter') ?? '{{';
  const right = block.text('right_delimiter') ?? general.text('default_right_delimiter') ?? '}}';
  const delimiters = { left, right };
  const [source, contents] = [block.text('source'), block.text('contents')];
  if (contents !== undefined) {
    const path = `${block.text('destination')?.replace(/^.*\//, '') ?? 'contents'}`;
    return output.addGoTemplate({ path, text: contents }, { delimiters });
  }
  const line = block.lineOf('source');
  const found =
    source === undefined
      ? { why: 'the template has no source' }
      : await output.read(read, { what: 'source', path: source, from: file, line });
  if (!('why' in found)) return output.addGoTemplate(found, { delimiters });
  const { why } = found;
  block.leave('source', why, 'import it again where the file is, or write the template by hand');
  return output.addTemplate(
    (source ?? 'template').replace(/^.*\//, '').replace(/\.(?:ctmpl|tpl|tmpl)$/, ''),
    `{{byHand ${block.line}}}\n`,
  );
}

function importLimits(block: Block): Readonly<Record<string, unknown>> {
  const denied = block.list('function_denylist') ?? block.list('function_blacklist');
  const sandboxPath = block.text('sandbox_path');
  return {
    ...(denied === undefined || denied.length === 0 ? {} : { functionDenylist: denied }),
    ...(sandboxPath === undefined ? {} : { sandboxPath }),
  };
}

/** A block with `min` and `max`, or `min:max`. Without `max`, it is four times `min`. */
function importWait(block: Block, defaults: ReadonlyMap<string, HclEntry>): Readonly<Record<string, unknown>> {
  const entry = block.entry('wait') ?? defaults.get('wait');
  if (entry === undefined) return {};
  if (entry.value.kind === 'object' && isDisabled(entry.value.entries)) return {};
  const { min, max } = entry.value.kind === 'object' ? waitOf(entry.value.entries) : splitWait(entry.value);
  const times = [min, max ?? fourTimes(min)];
  if (times.every((time) => time !== undefined && isDuration(time))) return { wait: { min: times[0], max: times[1] } };
  block.leave('wait', 'wait is not min and max', 'write templates[].wait: { min, max }');
  return {};
}

function waitOf(entries: readonly HclEntry[]) {
  const text = (name: string) => {
    const value = entries.findLast(({ key }) => key === name)?.value;
    return value?.kind === 'text' ? value.text : undefined;
  };
  return { min: text('min'), max: text('max') };
}

function splitWait(value: HclEntry['value']) {
  const [min, max] = value.kind === 'text' ? value.text.split(':') : [];
  return { min, max };
}

function fourTimes(min: string | undefined): string | undefined {
  return min?.replace(/\d+(?:\.\d+)?/g, (count) => String(Number(count) * 4));
}

/** `enabled = false`. */
export function isDisabled(entries: readonly HclEntry[]): boolean {
  const value = entries.findLast(({ key }) => key === 'enabled')?.value;
  return (value?.kind === 'boolean' && !value.value) || (value?.kind === 'text' && value.text === 'false');
}

/** The words of a command, or undefined for none. */
export function commandOf(words: readonly string[] | undefined): readonly string[] | undefined {
  return words === undefined || words.length > 1 ? words : toArgv(words[0] ?? '');
}

/** `command` of the template, or `command` of its `exec`. */
function importCommand(block: Block): Readonly<Record<string, unknown>> {
  const exec = block.nested('exec');
  const words = exec.list('command') ?? block.list('command');
  const timeout = exec.duration('timeout') ?? block.duration('command_timeout');
  block.entry('command');
  block.entry('command_timeout');
  const env = importEnv(exec.nested('env'));
  const splay = exec.duration('splay');
  exec.entry('enabled');
  exec.close('exec');
  const argv = commandOf(words);
  if (isDisabled(exec.entries)) {
    if (argv !== undefined) exec.leave('enabled', 'exec is not enabled', 'set reload if its command must run');
    return {};
  }
  const settings = { ...(splay === undefined ? {} : { splay }), ...env };
  return {
    ...(argv === undefined ? {} : { reload: timeout === undefined ? argv : { command: argv, timeout } }),
    ...(Object.keys(settings).length === 0 ? {} : { exec: settings }),
  };
}

export function importEnv(env: Block): Readonly<Record<string, unknown>> {
  const pristine = env.boolean('pristine');
  const lists = [
    ['custom', env.list('custom')],
    ['allowlist', env.list('allowlist') ?? env.list('whitelist')],
    ['denylist', env.list('denylist') ?? env.list('blacklist')],
  ] as const;
  env.close('env');
  const given = Object.fromEntries(lists.filter(([, list]) => list !== undefined && list.length > 0));
  const settings = { ...(pristine === true ? { pristine } : {}), ...given };
  return Object.keys(settings).length === 0 ? {} : { env: settings };
}
