import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Backoff, makeBackoff } from '../../backoff.ts';
import { SwitchmasterError } from '../../errors.ts';
import { bindGroup, programEnvironment, signalGroup } from './process-group.ts';

type Program = ChildProcessByStdio<null, Readable, Readable>;

/*
 * A program that the daemon keeps running.
 *
 *   idle      not wanted yet
 *   running   the process lives
 *   waiting   it ended by itself; a timer starts it again, later each time it ends soon
 *   ending    it was told to end; what comes next is decided by whoever waits for that
 *   stopped   it is not started any more
 *
 * Each process leads a session of its own: what a terminal sends to the daemon's group (Ctrl-C) reaches it only as what
 * the daemon makes of it, and what it leaves behind when it ends can be found and killed, for that would hold its port.
 * Signals go to the process itself and not to its group, as from systemd: HAProxy's master tells its workers itself.
 */
type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly child: Program; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'ending'; readonly ended: Promise<void> }
  | { readonly kind: 'stopped' };

export interface SupervisorOptions {
  readonly argv: readonly string[];
  /** What tells it to end. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Told to end, it may take so long before SIGKILL. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** A process that lived for so long ended for a new reason: it is started again at once. Default 10,000. */
  readonly hysteresisMs?: number;
  /** A line that the program wrote, or what became of it. */
  readonly onEvent?: (event: SupervisorEvent) => void;
}

export type SupervisorEvent =
  | { readonly kind: 'output'; readonly line: string }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'signalled'; readonly pid: number; readonly signal: NodeJS.Signals }
  | { readonly kind: 'ended'; readonly how: string; readonly restartMs: number | undefined };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 100, maxMs: 30_000 });
  #state: State = { kind: 'idle' };
  /** What becomes of it where it ends by itself. */
  #upkeep: 'kept' | 'retired' = 'kept';

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.child.pid : undefined;
  }

  /** Starts the program unless it runs. Throws `reload-failed` where it cannot be started at all. */
  async start(): Promise<void> {
    if (this.#state.kind === 'running') return;
    await this.#end();
    await this.#spawn();
  }

  /** Ends the program, waits for its end, and starts it again: two at a time would fight over its port. */
  async restart(): Promise<void> {
    await this.#end();
    await this.#spawn();
  }

  /** Sends a signal; starts the program instead where it does not run. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    if (this.#state.kind === 'running') this.#state.child.kill(signal);
    else await this.start();
  }

  /** Hands on a signal that was meant for the program. One that does not run is not started for it. */
  forward(signal: NodeJS.Signals): void {
    if (this.#state.kind !== 'running') return;
    const { child } = this.#state;
    if (child.kill(signal)) this.#emit({ kind: 'signalled', pid: child.pid ?? 0, signal });
  }

  /** From now on it is not started again where it ends by itself: a service manager may end both at once. */
  retire(): void {
    this.#upkeep = 'retired';
    if (this.#state.kind !== 'waiting') return;
    clearTimeout(this.#state.timer);
    this.#state = { kind: 'idle' };
  }

  /** Ends the program for good. */
  async stop(): Promise<void> {
    const ended = this.#end();
    this.#state = { kind: 'stopped' };
    await ended;
  }

  async #spawn(): Promise<void> {
    const [program = '', ...args] = this.#options.argv;
    // Stopped while it waited for the end of the one before.
    if (this.#state.kind === 'stopped') {
      throw new SwitchmasterError('stopping', `${program} is not started, for the daemon stops.`);
    }
    if (this.#state.kind === 'running') return;
    try {
      const child = spawn(program, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
        env: programEnvironment(),
      });
      this.#state = { kind: 'running', child, sinceMs: performance.now() };
      await once(child, 'spawn');
      this.#watch(child);
    } catch (cause) {
      if (this.#state.kind === 'running' || this.#state.kind === 'waiting') this.#state = { kind: 'idle' };
      const { message } = cause as Error;
      throw new SwitchmasterError('reload-failed', `${program} cannot be started: ${message}.`, { cause });
    }
  }

  #watch(child: Program): void {
    const { pid = 0 } = child;
    const unbind = bindGroup(pid);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) =>
        this.#emit({ kind: 'output', line: line.slice(0, 4_096) }),
      );
    }
    child.on('error', () => undefined);
    child.once('exit', (code, signal) => {
      signalGroup(pid, 'SIGKILL');
      unbind();
      this.#exited(child, signal === null ? `exited with ${code}` : `died of ${signal}`);
    });
    this.#emit({ kind: 'started', pid });
  }

  #exited(child: Program, how: string): void {
    const state = this.#state;
    const byItself = state.kind === 'running' && state.child === child;
    if (!byItself || this.#upkeep === 'retired') {
      if (byItself) this.#state = { kind: 'stopped' };
      this.#emit({ kind: 'ended', how, restartMs: undefined });
      return;
    }
    if (performance.now() - state.sinceMs >= (this.#options.hysteresisMs ?? 10_000)) this.#backoff.reset();
    this.#startLater(how);
  }

  #startLater(how: string): void {
    const restartMs = this.#backoff.nextMs();
    const again = () => this.#spawn().catch((thrown: Error) => this.#notStarted(thrown));
    this.#state = { kind: 'waiting', timer: setTimeout(() => void again(), restartMs) };
    this.#emit({ kind: 'ended', how, restartMs });
  }

  /** A program that is being upgraded may be away for a while. */
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
    const { stopSignal = 'SIGTERM', stopTimeoutMs = 10_000 } = this.#options;
    // Rejects where it could not even be started.
    const ended = once(child, 'exit').catch(() => undefined);
    child.kill(stopSignal);
    // One that is paused does not hear it.
    child.kill('SIGCONT');
    const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
  }

  #emit(event: SupervisorEvent): void {
    this.#options.onEvent?.(event);
  }
}
