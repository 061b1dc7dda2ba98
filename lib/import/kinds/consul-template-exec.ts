import type { HclEntry } from '../hcl.ts';
import type { ImportOutput } from '../output.ts';
import { Block } from './consul-template-block.ts';
import { commandOf, type ImportedEntry, importEnv, isDisabled } from './consul-template-entry.ts';

/** The process that consul-template itself runs. Here a program belongs to one template. */
export function importExec(
  all: readonly { readonly file: string; readonly entry: HclEntry }[],
  { output, templates }: { readonly output: ImportOutput; readonly templates: readonly ImportedEntry[] },
): void {
  const found = all.findLast(({ entry }) => entry.key === 'exec');
  if (found === undefined) return;
  const { file, entry } = found;
  const block = new Block(output, { file, entries: [entry], line: entry.line });
  const exec = block.nested('exec');
  const command = commandOf(exec.list('command'));
  if (command === undefined) {
    block.leave('exec', 'exec has no command', 'leave it out');
    return;
  }
  if (isDisabled(exec.entries)) {
    block.leave('exec', 'exec is not enabled', 'set reload.supervise if its command must run');
    return;
  }
  const [template] = templates;
  if (template === undefined || templates.length > 1 || template.settings.reload !== undefined) {
    block.leave(
      'exec',
      'a program belongs to one template here',
      'write reload: { supervise: … } at the template whose file it reads',
    );
    return;
  }
  template.settings.reload = { supervise: supervised(exec, command) };
  const splay = exec.duration('splay');
  const settings = { ...(splay === undefined ? {} : { splay }), ...importEnv(exec.nested('env')) };
  if (Object.keys(settings).length > 0) template.settings.exec = settings;
  exec.entry('timeout');
  exec.entry('enabled');
  exec.close('exec');
}

/** Without `reload_signal`, consul-template restarts the program. */
function supervised(exec: Block, command: readonly string[]): Readonly<Record<string, unknown>> {
  const settings = [
    ['onChange', exec.text('reload_signal')],
    ['stopSignal', exec.text('kill_signal')],
    ['stopTimeout', exec.duration('kill_timeout')],
  ] as const;
  return { command, ...Object.fromEntries(settings.filter(([, value]) => value !== undefined)) };
}
