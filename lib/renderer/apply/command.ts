import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SwitchmasterError } from '../../errors.ts';
import { programEnvironment, signalGroup } from './process-group.ts';

export interface Command {
  /** The program and its arguments; no shell reads them. `{{file}}` in an argument stands for {@link RunInput.file}. */
  readonly argv: readonly string[];
  /** After this the command and everything that it started are killed. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface RunInput {
  readonly command: Command;
  readonly file?: string;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  /** What it wrote to standard output and standard error, at most its last 8 KiB. */
  readonly output: string;
  readonly durationMs: number;
}

const defaultTimeoutMs = 30_000;
const killGraceMs = 500;
const keptOutputBytes = 8_192;

/**
 * Runs a command to its end. Throws `command-failed` (not started, exit code, killed) or `command-timeout`, with the
 * output in the message and in `details.output`.
 *
 * The output goes into an unlinked file and not through a pipe: a reload that leaves a daemon behind hands its output
 * on to it, and a pipe would stay open for as long as that lives.
 */
export async function runCommand(input: RunInput): Promise<CommandResult> {
  input.signal.throwIfAborted();
  const argv = input.command.argv.map((word) => word.replaceAll('{{file}}', input.file ?? '{{file}}'));
  const [program = '', ...args] = argv;
  const startedMs = performance.now();
  const sink = openOutput();
  try {
    const { pid, ended } = start({ program, args, descriptor: sink.descriptor });
    const watcher = watchOver({
      pid,
      timeoutMs: input.command.timeoutMs ?? defaultTimeoutMs,
      signal: input.signal,
    });
    const end = await ended.finally(watcher.stop);
    const output = sink.read();
    const durationMs = performance.now() - startedMs;
    if (end.kind === 'exited' && end.code === 0 && watcher.reason() === undefined) return { output, durationMs };
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
 * Node's own spawn: of what a library adds, nothing is used here, and it would cost a reload a millisecond. In a group of
 * its own, so that a command that hangs goes with everything that it started.
 */
function start(input: { program: string; args: readonly string[]; descriptor: number }) {
  const { promise: ended, resolve } = Promise.withResolvers<End>();
  try {
    const child = spawn(input.program, input.args, {
      stdio: ['ignore', input.descriptor, input.descriptor],
      detached: true,
      env: programEnvironment(),
    });
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

/** Kills the command's group when the time is over or the daemon stops. */
function watchOver(input: { pid: number | undefined; timeoutMs: number; signal: AbortSignal }) {
  let reason: 'timeout' | 'stopping' | undefined;
  let hardKill: NodeJS.Timeout | undefined;
  const kill = (why: 'timeout' | 'stopping') => {
    reason ??= why;
    signalGroup(input.pid, 'SIGTERM');
    hardKill = setTimeout(() => signalGroup(input.pid, 'SIGKILL'), killGraceMs);
  };
  const timer = setTimeout(() => kill('timeout'), input.timeoutMs);
  const onAbort = () => kill('stopping');
  if (input.signal.aborted) onAbort();
  else input.signal.addEventListener('abort', onAbort, { once: true });
  return {
    reason: () => reason,
    stop() {
      clearTimeout(timer);
      clearTimeout(hardKill);
      input.signal.removeEventListener('abort', onAbort);
      // What the command itself left behind when it was told to end.
      if (reason !== undefined) signalGroup(input.pid, 'SIGKILL');
    },
  };
}

/** At once: a few calls on the folder for temporary files, where each would wait for a thread, and a failover for it. */
function openOutput() {
  const path = join(tmpdir(), `switchmaster-output-${process.pid}-${Math.random().toString(36).slice(2)}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
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

function describeFailure(input: {
  argv: readonly string[];
  output: string;
  durationMs: number;
  end: End;
  killedFor: 'timeout' | 'stopping' | undefined;
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
  if (input.killedFor === 'stopping') {
    return new SwitchmasterError('stopping', `${what} was killed because the daemon stops.`, options);
  }
  if (end.kind === 'not-started') {
    const { code = 'unknown reason' } = end.cause;
    const reason = code === 'ENOENT' ? 'there is no such program' : code;
    return new SwitchmasterError('command-failed', `${what} could not be started: ${reason}.`, options);
  }
  const how = end.kind === 'exited' ? `exited with ${end.code}` : `was killed by ${end.signal}`;
  return new SwitchmasterError('command-failed', `${what} ${how}. ${said}`, options);
}
