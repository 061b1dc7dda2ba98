import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Backoff, makeBackoff } from '../backoff.ts';
import { SwitchmasterError } from '../errors.ts';

/*
 * A program that the daemon keeps running.
 *
 *   idle      not wanted: before the first start, and after stop
 *   running   the process lives
 *   waiting   it ended by itself; a timer starts it again, later each time it ends soon
 *   ending    it was told to end; what comes next is decided by whoever waits for that
 */
type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly child: ChildProcess; readonly sinceMs: number }
  | { readonly kind: 'waiting'; readonly timer: NodeJS.Timeout }
  | { readonly kind: 'ending'; readonly child: ChildProcess };

export interface SupervisorOptions {
  readonly argv: readonly string[];
  /** Told to end by SIGTERM, it may take so long before SIGKILL. Default 10,000. */
  readonly stopTimeoutMs?: number;
  /** A process that lived for so long ended for a new reason: it is started again at once. Default 10,000. */
  readonly steadyMs?: number;
  /** A line that the program wrote, or what became of it. */
  readonly onEvent?: (event: SupervisorEvent) => void;
}

export type SupervisorEvent =
  | { readonly kind: 'output'; readonly line: string }
  | { readonly kind: 'started'; readonly pid: number }
  | { readonly kind: 'ended'; readonly how: string; readonly restartMs: number | undefined };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #backoff: Backoff = makeBackoff({ initialMs: 100, maxMs: 30_000 });
  #state: State = { kind: 'idle' };

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.child.pid : undefined;
  }

  /** Starts the program unless it runs. Throws `reload-failed` where it cannot be started at all. */
  async start(): Promise<void> {
    if (this.#state.kind === 'running') return;
    if (this.#state.kind === 'waiting') clearTimeout(this.#state.timer);
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

  async stop(): Promise<void> {
    await this.#end();
    this.#state = { kind: 'idle' };
  }

  async #spawn(): Promise<void> {
    const [program = '', ...args] = this.#options.argv;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) =>
        this.#emit({ kind: 'output', line: line.slice(0, 4_096) }),
      );
    }
    this.#state = { kind: 'running', child, sinceMs: performance.now() };
    child.once('exit', (code, signal) =>
      this.#exited(child, signal === null ? `exited with ${code}` : `died of ${signal}`),
    );
    try {
      await once(child, 'spawn');
    } catch (cause) {
      this.#state = { kind: 'idle' };
      const { message } = cause as Error;
      throw new SwitchmasterError('reload-failed', `${program} cannot be started: ${message}.`, { cause });
    }
    child.on('error', () => undefined);
    this.#emit({ kind: 'started', pid: child.pid ?? 0 });
  }

  #exited(child: ChildProcess, how: string): void {
    const state = this.#state;
    if (state.kind !== 'running' || state.child !== child) {
      this.#emit({ kind: 'ended', how, restartMs: undefined });
      return;
    }
    if (performance.now() - state.sinceMs >= (this.#options.steadyMs ?? 10_000)) this.#backoff.reset();
    const restartMs = this.#backoff.nextMs();
    const timer = setTimeout(
      () => void this.#spawn().catch(() => this.#exited(child, 'could not be started')),
      restartMs,
    );
    this.#state = { kind: 'waiting', timer };
    this.#emit({ kind: 'ended', how, restartMs });
  }

  async #end(): Promise<void> {
    const state = this.#state;
    if (state.kind === 'waiting') clearTimeout(state.timer);
    if (state.kind !== 'running') return;
    const { child } = state;
    this.#state = { kind: 'ending', child };
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopTimeoutMs ?? 10_000);
    await ended;
    clearTimeout(timer);
  }

  #emit(event: SupervisorEvent): void {
    this.#options.onEvent?.(event);
  }
}
