import type { Launch } from '../process-group.ts';

/** The shells whose `exec` is known to start the same program, in the same way, as Node's spawn. */
export type ShellKind = 'dash' | 'bash' | 'busybox';

/** What the shell writes to its descriptor 3 right before it becomes the command. */
const startedMark = 'go';

/**
 * A longer script takes longer than it saves: bash and BusyBox read their input byte by byte. And with more than 128 KiB in one
 * argument, the kernel refuses a direct start, which then reports that.
 */
const longestBytes: Readonly<Record<ShellKind, number>> = { dash: 64 * 1_024, busybox: 8 * 1_024, bash: 4 * 1_024 };

/** What a shell can export. */
const exportable = /^[A-Za-z_]\w*$/;
/** What a shell sets, changes, does not let others set, or does something for: bash shortens a file at a new HISTFILESIZE. */
const ownVariable = new RegExp(
  `^(?:${[
    ...[
      'BASH.*',
      'CHILD_MAX',
      'COMP_.*',
      'COPROC',
      'DIRSTACK',
      'ENV',
      'EPOCH.*',
      'E?UID',
      'E?GID',
      'EXECIGNORE',
      'FIGNORE',
    ],
    ...[
      'FUNCNAME',
      'FUNCNEST',
      'GLOBIGNORE',
      'GROUPS',
      'HIST.*',
      'histchars',
      'HOSTFILE',
      'IFS',
      'IGNOREEOF',
      'ignoreeof',
    ],
    ...[
      'INPUTRC',
      'LINENO',
      'MAIL.*',
      'MAPFILE',
      'OPT(?:ARG|ERR|IND)',
      'PIPESTATUS',
      'POSIXLY_CORRECT',
      'PPID',
      'PS\\d',
    ],
    ...['READLINE_.*', 'SECONDS', 'SHELLOPTS', 'S?RANDOM', 'TMOUT'],
  ].join('|')})$`,
);
/** What a shell adds to the environment of what it executes. */
const addedVariables = ['PATH', 'PWD', 'OLDPWD', 'SHLVL'];

/**
 * The script by which a shell becomes a command: one compound command, so that a shell that gets a part of it runs nothing.
 * undefined for a command that the shell would start in another way than Node's spawn does.
 *
 * Messages of the shell itself, such as bash's about a locale that does not exist, stay out of the command's output.
 */
export function writeScript(
  kind: ShellKind,
  command: Launch & { readonly args: readonly string[] },
): string | undefined {
  const { file, argv0, env, args } = command;
  const variables = Object.entries(env).map(([name, value = '']) => ({ name, value }));
  const words = [file, ...args];
  const isKnown = variables.every(({ name }) => exportable.test(name) && !ownVariable.test(name));
  const hasNul = [...words, ...variables.map(({ value }) => value)].some((text) => text.includes('\0'));
  if (!isKnown || hasNul || file !== argv0 || !isProgram(kind, file)) return undefined;
  // bash removes it.
  if (kind === 'bash' && env._ !== undefined) return undefined;
  const levels = kind === 'bash' ? bashLevels(env.SHLVL) : { value: env.SHLVL, prefix: [] };
  if (levels === undefined || (levels.prefix.length > 0 && file.includes('='))) return undefined;
  const added = addedVariables.filter((name) => env[name] === undefined);
  const steps = [
    ...exportOf(variables.map((one) => (one.name === 'SHLVL' ? { ...one, value: levels.value ?? '' } : one))),
    ...(added.length === 0 ? [] : [`unset ${added.join(' ')}`]),
    ':',
  ];
  const start = ['exec', ...levels.prefix, ...words.map(quote), '</dev/null', '3>&-'].join(' ');
  const script = `{ { ${steps.join(' && ')}; } 2>/dev/null && echo ${startedMark} >&3 && ${start}; }\n`;
  return Buffer.byteLength(script) > longestBytes[kind] ? undefined : script;
}

/** BusyBox may execute its own program in place of one in PATH. `exec` would take a word with a `-` for its option. */
function isProgram(kind: ShellKind, file: string): boolean {
  return file !== '' && !file.startsWith('-') && (kind !== 'busybox' || file.includes('/'));
}

/**
 * At `exec`, bash exports SHLVL, one lower than it was. Where the command gets no SHLVL, only another program can remove it.
 * undefined for a value that bash would change.
 */
function bashLevels(level: string | undefined): { value?: string; prefix: readonly string[] } | undefined {
  if (level === undefined) return { prefix: [environmentProgram, '-u', 'SHLVL'] };
  return /^(?:0|[1-9]\d?)$/.test(level) ? { value: String(Number(level) + 1), prefix: [] } : undefined;
}

/** It must exist where {@link writeScript} uses it. */
export const environmentProgram = '/usr/bin/env';

function exportOf(variables: readonly { readonly name: string; readonly value: string }[]): readonly string[] {
  if (variables.length === 0) return [];
  return [`export ${variables.map(({ name, value }) => `${name}=${quote(value)}`).join(' ')}`];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
