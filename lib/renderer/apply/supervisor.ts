import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { type Backoff, makeBackoff } from '../../backoff.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { ProgramEnv } from '../../model/program-env.ts';
import type { LeftProgram, StopLimits } from './left-program.ts';
import { bindGroup, launchOf, signalGroup } from './process-group.ts';
import { ProgramEnds } from './program-ends.ts';
import { readLines } from './program-output.ts';

type Program = ChildProcessByStdio<null, Readable, Readable>;

/*
 * A program that the daemon keeps running.
 *
 *   idle      not started yet
 *   running   the process runs
 *   waiting   it ended by itself; a timer restarts it, with backoff
 *   ending    the supervisor has ended it, and waits for its exit
 *   stopped   it is not started any more
 *
 * Each process leads its own session. A terminal's Ctrl-C therefore does not reach it directly, and processes that it
 * leaves behind, which would hold its port, can be found and killed. Signals go to the process and not to its group, as
 * from systemd: HAProxy's master process signals its workers itself.
 */
type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly child: Program; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'ending'; readonly ended: Promise<void> }
  | { readonly kind: 'stopped' };

export interface SupervisorOptions extends StopLimits {
  readonly argv: readonly string[];
  /** Default: the daemon's environment, without the daemon's secrets. */
  readonly env?: ProgramEnv | undefined;
  /** What a daemon before this one may have left running. Default: nothing. */
  readonly left?: LeftProgram;
  /** A program that runs for this time keeps running: the backoff begins again. */
  readonly steadyMs?: number;
  /** Receives each line that the program writes, its starts and its ends. */
  readonly onEvent?: (event: SupervisorEvent) => void;
}

export type SupervisorEvent =
  | { readonly kind: 'output'; readonly line: string }
  /** The program wrote too many lines. */
  | { readonly kind: 'output-lost'; readonly lines: number }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'signalled'; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'ended'; readonly how: string; readonly restartMs: number | undefined }
  /** The program of a daemon that was killed. `of-another-daemon`: of one that runs. */
  | { readonly kind: 'found'; readonly what: 'ended' | 'of-another-daemon' }
  | { readonly kind: 'not-noted'; readonly why: string };

const usualSteadyMs = 10_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 100, maxMs: 30_000 });
  #state: State = { kind: 'idle' };
  /** `kept`: the program is restarted when it ends by itself. */
  #upkeep: 'kept' | 'retired' = 'kept';
  #former: 'unknown' | 'ended' = 'unknown';
  /** The note of the last start. */
  #noted: Promise<void> | undefined;
  readonly #ends: ProgramEnds;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#ends = new ProgramEnds(options.argv[0] ?? '');
  }

  get pid(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.child.pid : undefined;
  }

  /** A sentence about a program that does not keep running; undefined where it does. */
  get problem(): string | undefined {
    return this.#isSteady() ? undefined : this.#ends.problem;
  }

  /** Starts the program if it was never started. One that ended by itself starts again by the backoff. */
  async keep(): Promise<void> {
    if (this.#state.kind === 'idle') await this.start();
  }

  /** Starts the program unless it runs. Throws `reload-failed` when it cannot be started. */
  async start(): Promise<void> {
    if (this.#state.kind === 'running') return;
    await this.#end();
    await this.#spawn();
  }

  /** Ends the program, waits for its exit, and starts it again: two processes cannot share its port. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#spawn();
  }

  /** Sends a signal, or starts the program when it does not run. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#state.kind === 'running') this.#state.child.kill(signal);
    else await this.start();
  }

  /** Sends a signal if the program runs. */
  forward(signal: NodeJS.Signals): void {
    if (this.#state.kind !== 'running') return;
    const { child } = this.#state;
    if (child.kill(signal)) this.#emit({ kind: 'signalled', pid: child.pid ?? 0, signal });
  }

  /** From now on the program is not restarted: a service manager may end it together with the daemon. */
  retire(): void {
    this.#upkeep = 'retired';
    if (this.#state.kind !== 'waiting') return;
    clearTimeout(this.#state.timer);
    this.#state = { kind: 'idle' };
  }

  /** Ends the program for good. Nothing is written afterwards. */
  async stop(): Promise<void> {
    const ended = this.#end();
    this.#state = { kind: 'stopped' };
    await Promise.all([ended, this.#noted]);
  }

  async #spawn(): Promise<void> {
    const [program = '', ...args] = this.#options.argv;
    await this.#endFormer();
    // `stop` was called while `restart` waited for the former process.
    if (this.#state.kind === 'stopped') {
      throw new SwitchmasterError('stopping', `${program} is not started because the daemon stops.`);
    }
    if (this.#state.kind === 'running') return;
    try {
      const { file, ...launch } = launchOf(program, this.#options.env);
      const child = spawn(file, args, { ...launch, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      this.#state = { kind: 'running', child, sinceMs: performance.now() };
      await once(child, 'spawn');
      this.#watch(child);
    } catch (cause) {
      if (this.#state.kind === 'running' || this.#state.kind === 'waiting') this.#state = { kind: 'idle' };
      const { message } = cause as Error;
      throw new SwitchmasterError('reload-failed', `${program} cannot be started: ${message}.`, { cause });
    }
  }

  /** Before the first start. */
  async #endFormer(): Promise<void> {
    if (this.#former === 'ended') return;
    const what = (await this.#options.left?.end(this.#options)) ?? 'none';
    this.#former = 'ended';
    if (what !== 'none') this.#emit({ kind: 'found', what });
  }

  #watch(child: Program): void {
    const { pid = 0 } = child;
    const unbind = bindGroup(pid);
    for (const stream of [child.stdout, child.stderr]) {
      readLines(stream, {
        onLine: (line) => {
          this.#ends.wrote(line);
          this.#emit({ kind: 'output', line });
        },
        onLost: (lines) => this.#emit({ kind: 'output-lost', lines }),
      });
    }
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL');
      unbind();
      this.#exited(child, signal === null ? `exited with ${code}` : `died of ${signal}`);
    });
    this.#emit({ kind: 'started', pid });
    const notNoted = ({ message }: Error) => this.#emit({ kind: 'not-noted', why: message });
    this.#noted = this.#options.left?.note(pid).catch(notNoted);
  }

  #exited(child: Program, how: string): void {
    const state = this.#state;
    const byItself = state.kind === 'running' && state.child === child;
    if (!byItself || this.#upkeep === 'retired') {
      if (byItself) this.#state = { kind: 'stopped' };
      this.#emit({ kind: 'ended', how, restartMs: undefined });
      return;
    }
    const after = this.#isSteady() ? 'long' : 'short';
    if (after === 'long') this.#backoff.reset();
    this.#startLater(how, after);
  }

  #isSteady(): boolean {
    const { steadyMs = usualSteadyMs } = this.#options;
    return this.#state.kind === 'running' && performance.now() - this.#state.sinceMs >= steadyMs;
  }

  #startLater(how: string, after: 'long' | 'short' = 'short'): void {
    this.#ends.ended(how, after);
    const restartMs = this.#backoff.nextMs();
    const again = () => this.#spawn().catch((thrown: Error) => this.#notStarted(thrown));
    this.#state = { kind: 'waiting', timer: setTimeout(() => void again(), restartMs) };
    this.#emit({ kind: 'ended', how, restartMs });
  }

  /** Tries again later: an upgrade may have removed the program for a while. */
  #notStarted({ message }: Error): void {
    if (this.#state.kind === 'idle' && this.#upkeep === 'kept') this.#startLater(message);
  }

  async #end(): Promise<void> {
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
      case 'stopped':
        return;
      case 'waiting':
        clearTimeout(state.timer);
        return;
      case 'ending':
        return state.ended;
      case 'running': {
        const ended = this.#endProcess(state.child);
        this.#state = { kind: 'ending', ended };
        return ended;
      }
    }
  }

  async #endProcess(child: Program): Promise<void> {
    const { stopSignal, stopTimeoutMs } = this.#options;
    // Rejects when the process was never started.
    const ended = once(child, 'exit').catch(() => undefined);
    child.kill(stopSignal);
    // A paused process does not receive other signals.
    child.kill('SIGCONT');
    const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  #emit(event: SupervisorEvent): void {
    this.#options.onEvent?.(event);
  }
}
