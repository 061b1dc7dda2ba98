import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { isAbort, SwitchmasterError } from '../../errors.ts';
import type { ProgramEnv } from '../../model/program-env.ts';
import { giveFile } from '../../model/template-spec.ts';
import { type CommandOutput, openOutput } from './command-output.ts';
import { type Launch, launchOf, signalGroup } from './process-group.ts';
import type { ShellPool } from './shell/pool.ts';
import { type End, follow, type Started } from './started.ts';

interface Command {
  /** The program and its arguments. No shell reads them. `{{file}}` stands for {@link RunInput.file}. */
  readonly argv: readonly string[];
  /** After this time the command and everything that it started are killed. */
  readonly timeoutMs: number;
  /** Default: the daemon's environment, without the daemon's secrets. */
  readonly env?: ProgramEnv;
}

export interface RunInput {
  readonly command: Command;
  readonly file?: string;
  /** Ends the command. */
  readonly signal: AbortSignal;
  /** How the signal ends it: `kill` at once, `terminate` with a grace period. Default `terminate`. */
  readonly onAbort?: 'terminate' | 'kill';
  /** Start the command sooner. Default: it is started directly. */
  readonly shells?: Pick<ShellPool, 'during' | 'prepare' | 'start'> | undefined;
  /** What {@link prepareCommand} gave for the same command. Default: it is prepared now. */
  readonly prepared?: PreparedCommand | undefined;
}

/** What can be known about a command before it starts. */
export interface PreparedCommand {
  readonly argv: readonly string[];
  readonly launch: Launch & { readonly args: readonly string[] };
  /** For a shell that waits. undefined if none can become the command. */
  readonly script: string | undefined;
}

export interface CommandResult {
  /** The last 8 KiB of its standard output and standard error. */
  readonly output: string;
  readonly durationMs: number;
}

const killGraceMs = 500;
/** After SIGKILL. */
const abandonMs = 2_000;

/**
 * Runs a command to its end. Throws `command-failed` (not started, non-zero exit code, killed) or `command-timeout`, with
 * the output in the message and in `details.output`.
 */
export function runCommand(input: RunInput): Promise<CommandResult> {
  const { shells } = input;
  return shells === undefined ? run(input) : shells.during(() => run(input));
}

async function run(input: RunInput): Promise<CommandResult> {
  input.signal.throwIfAborted();
  const { timeoutMs } = input.command;
  const { prepared = prepareCommand(input) } = input;
  const { argv } = prepared;
  const startedMs = performance.now();
  const durationMs = () => performance.now() - startedMs;
  const { pid, ended, output: sink } = await start(input, prepared);
  try {
    const watcher = watchProcess({ ...input, pid, timeoutMs: Math.max(1, timeoutMs - durationMs()) });
    const end = await Promise.race([ended, watcher.abandoned]).finally(watcher.stop);
    const output = sink.read();
    const tookMs = durationMs();
    if (end.kind === 'exited' && end.code === 0 && watcher.reason() === undefined)
      return { output, durationMs: tookMs };
    if (watcher.reason() === 'aborted') throw abortError(argv, input.signal.reason);
    throw describeFailure({ argv, output, durationMs: tookMs, end, killedFor: watcher.reason() });
  } finally {
    sink.close();
  }
}

/** Takes a fraction of a millisecond, in which a run may wait for a disk. Changes nothing. */
export function prepareCommand({
  command,
  file,
  shells,
}: Pick<RunInput, 'command' | 'file' | 'shells'>): PreparedCommand {
  const argv = file === undefined ? command.argv : giveFile(command.argv, file);
  const [program = '', ...args] = argv;
  const launch = { ...launchOf(program, command.env), args };
  return { argv, launch, script: shells?.prepare(launch) };
}

/** In a shell that waits, if one does. Otherwise, and if no command has come of that, directly. */
async function start(
  input: RunInput,
  { launch, script }: PreparedCommand,
): Promise<Started & { readonly output: CommandOutput }> {
  const inShell = script === undefined ? undefined : await input.shells?.start(script);
  if (inShell !== undefined) return inShell;
  input.signal.throwIfAborted();
  const output = await openOutput(input.file);
  return { ...startDirectly(launch, output), output };
}

/**
 * Uses Node's spawn: nothing that a library adds is needed here, and a library costs each reload a millisecond. The
 * command leads its own process group, so that a command that hangs is killed with everything that it started.
 */
function startDirectly({ file, args, ...launch }: PreparedCommand['launch'], { descriptor }: CommandOutput): Started {
  try {
    return follow(spawn(file, args, { ...launch, stdio: ['ignore', descriptor, descriptor], detached: true }));
  } catch (cause) {
    return { pid: undefined, ended: Promise.resolve({ kind: 'not-started', cause: cause as NodeJS.ErrnoException }) };
  }
}

/** Kills the command's group at the timeout or on abort. */
function watchProcess(input: {
  pid: number | undefined;
  timeoutMs: number;
  signal: AbortSignal;
  onAbort?: 'terminate' | 'kill';
}) {
  let reason: 'timeout' | 'aborted' | undefined;
  let hardKill: NodeJS.Timeout | undefined;
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<End>();
  const kill = (why: 'timeout' | 'aborted') => {
    reason ??= why;
    signalGroup(input.pid, why === 'aborted' && input.onAbort === 'kill' ? 'SIGKILL' : 'SIGTERM');
    hardKill = setTimeout(() => {
      signalGroup(input.pid, 'SIGKILL');
      hardKill = setTimeout(() => abandon({ kind: 'killed', signal: 'SIGKILL' }), abandonMs);
    }, killGraceMs);
  };
  const timer = setTimeout(() => kill('timeout'), input.timeoutMs);
  const onAbort = () => kill('aborted');
  if (input.signal.aborted) onAbort();
  else input.signal.addEventListener('abort', onAbort, { once: true });
  return {
    reason: () => reason,
    /** A process that waits for a file system does not end before it answers, whichever signal it gets. */
    abandoned,
    stop() {
      clearTimeout(timer);
      clearTimeout(hardKill);
      input.signal.removeEventListener('abort', onAbort);
      // Kills what the command left behind when it was terminated.
      if (reason !== undefined) signalGroup(input.pid, 'SIGKILL');
    },
  };
}

/** An AbortError as it is; anything else with the command's name. */
function abortError(argv: readonly string[], reason: unknown): unknown {
  if (isAbort(reason)) return reason;
  const error = SwitchmasterError.from(reason);
  const message = `The command \`${argv.join(' ')}\` was killed. ${error.message}`;
  return new SwitchmasterError(error.code, message, { cause: error, details: { argv } });
}

function describeFailure(input: {
  argv: readonly string[];
  output: string;
  durationMs: number;
  end: End;
  killedFor: 'timeout' | 'aborted' | undefined;
}): SwitchmasterError {
  const { argv, output, end } = input;
  const said = output === '' ? 'It wrote nothing.' : `It wrote: ${output.slice(-1_000)}`;
  const what = `The command \`${argv.join(' ')}\``;
  const exitCode = end.kind === 'exited' ? end.code : undefined;
  const signal = end.kind === 'killed' ? end.signal : undefined;
  const details = { argv, output, exitCode, signal, durationMs: input.durationMs };
  const options = { cause: end.kind === 'not-started' ? end.cause : undefined, details };
  if (input.killedFor === 'timeout') {
    const message = `${what} did not end within ${Math.round(input.durationMs)} ms and was killed. ${said}`;
    return new SwitchmasterError('command-timeout', message, options);
  }
  if (end.kind === 'not-started') {
    const { code = 'unknown reason' } = end.cause;
    const reason = code === 'ENOENT' ? 'there is no such program' : code;
    return new SwitchmasterError('command-failed', `${what} could not be started: ${reason}.`, options);
  }
  const how = end.kind === 'exited' ? `exited with ${end.code}` : `was killed by ${end.signal}`;
  return new SwitchmasterError('command-failed', `${what} ${how}. ${said}`, options);
}
