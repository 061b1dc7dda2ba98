import { spawn } from 'node:child_process';
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { access, constants, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isAbort, SwitchmasterError } from '../../errors.ts';
import { withinDeadline } from '../../file-system.ts';
import type { ProgramEnv } from '../../model/program-env.ts';
import { giveFile } from '../../model/template-spec.ts';
import { launchOf, signalGroup } from './process-group.ts';

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
}

export interface CommandResult {
  /** The last 8 KiB of its standard output and standard error. */
  readonly output: string;
  readonly durationMs: number;
}

const killGraceMs = 500;
/** After SIGKILL. */
const abandonMs = 2_000;
const keptOutputBytes = 8_192;

/**
 * Runs a command to its end. Throws `command-failed` (not started, non-zero exit code, killed) or `command-timeout`, with
 * the output in the message and in `details.output`.
 *
 * The output goes to an unlinked file, not to a pipe: a reload may start a daemon that inherits the output, and a pipe
 * would stay open as long as that daemon runs.
 */
export async function runCommand(input: RunInput): Promise<CommandResult> {
  input.signal.throwIfAborted();
  const { argv: words } = input.command;
  const argv = input.file === undefined ? words : giveFile(words, input.file);
  const [program = '', ...args] = argv;
  const startedMs = performance.now();
  const sink = await openOutput(input.file);
  try {
    const { pid, ended } = start({ launch: launchOf(program, input.command.env), args, descriptor: sink.descriptor });
    const watcher = watchProcess({ ...input, pid, timeoutMs: input.command.timeoutMs });
    const end = await Promise.race([ended, watcher.abandoned]).finally(watcher.stop);
    const output = sink.read();
    const durationMs = performance.now() - startedMs;
    if (end.kind === 'exited' && end.code === 0 && watcher.reason() === undefined) return { output, durationMs };
    if (watcher.reason() === 'aborted') throw abortError(argv, input.signal.reason);
    throw describeFailure({ argv, output, durationMs, end, killedFor: watcher.reason() });
  } finally {
    sink.close();
  }
}

type End =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'not-started'; readonly cause: NodeJS.ErrnoException };

/**
 * Uses Node's spawn: nothing that a library adds is needed here, and a library costs each reload a millisecond. The
 * command leads its own process group, so that a command that hangs is killed with everything that it started.
 */
function start(input: { launch: ReturnType<typeof launchOf>; args: readonly string[]; descriptor: number }) {
  const { promise: ended, resolve } = Promise.withResolvers<End>();
  try {
    const { file, ...launch } = input.launch;
    const stdio = ['ignore' as const, input.descriptor, input.descriptor];
    const child = spawn(file, input.args, { ...launch, stdio, detached: true });
    child.once('error', (cause) => resolve({ kind: 'not-started', cause }));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? { kind: 'exited', code: code ?? 1 } : { kind: 'killed', signal }),
    );
    return { pid: child.pid, ended };
  } catch (cause) {
    resolve({ kind: 'not-started', cause: cause as NodeJS.ErrnoException });
    return { pid: undefined, ended };
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

/** Synchronous: these few calls take microseconds, and each asynchronous call would wait for a thread during a failover. */
async function openOutput(file: string | undefined) {
  const beside = async () => (file === undefined ? undefined : firstWritable(await findBeside(file)));
  const descriptor = firstWritable(['/dev/shm', tmpdir()]) ?? (await beside());
  // The command still runs, and its output is lost.
  if (descriptor === undefined) return lostOutput();
  return {
    descriptor,
    read(): string {
      const { size } = fstatSync(descriptor);
      const buffer = Buffer.alloc(Math.min(size, keptOutputBytes));
      readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString().trim();
    },
    close: () => closeSync(descriptor),
  };
}

/** The folders of a file and of the file that it links to, where their file system answers. */
async function findBeside(file: string): Promise<readonly string[]> {
  const folders = [dirname(file), dirname(await withinDeadline(file, () => realpath(file)).catch(() => file))];
  const answers = folders.map((folder) =>
    withinDeadline(folder, () => access(folder, constants.W_OK)).then(
      () => [folder],
      () => [],
    ),
  );
  return (await Promise.all(answers)).flat();
}

function lostOutput() {
  const descriptor = openSync('/dev/null', 'w');
  return { descriptor, read: () => '', close: () => closeSync(descriptor) };
}

/** An unlinked file in the first folder that takes one with content: a full disk would make the command itself fail. */
function firstWritable(folders: readonly string[]): number | undefined {
  for (const folder of folders) {
    const path = join(folder, `.switchmaster-output-${process.pid}-${Math.random().toString(36).slice(2)}`);
    let descriptor: number | undefined;
    try {
      descriptor = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      writeSync(descriptor, Buffer.alloc(keptOutputBytes), 0, keptOutputBytes, 0);
      ftruncateSync(descriptor, 0);
      return descriptor;
    } catch {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }
  return undefined;
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
