import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor, within } from './condition.ts';

export type Exit = { code: number | null; signal: NodeJS.Signals | null };

export type ServerSpec = {
  /** Unique in the sandbox. The log is `<folder>/<name>.log`. */
  name: string;
  argv: readonly [string, ...string[]];
  /** The sandbox's folder, also the working directory. */
  folder: string;
  env: NodeJS.ProcessEnv;
  /** Truthy once the server works. A throw means "not yet". */
  ready: () => Promise<unknown>;
  /** Default 60,000. */
  readyTimeoutMs?: number;
  /** Between two readings of readiness. Default: as in `waitFor`. Less if a restart is timed. */
  readyIntervalMs?: number;
  /** Ends a wait for readiness. */
  closing: AbortSignal;
};

type State =
  | { kind: 'stopped'; exit: Exit | undefined }
  | { kind: 'running' | 'paused'; child: ChildProcess; pid: number; exited: Promise<Exit> };

/**
 * One server process, which can be started, killed, paused and restarted. It runs in a session of its own, so that Ctrl-C
 * in the terminal reaches only the test or the demo, and signals that cannot be caught go to its children too.
 */
export class Server {
  readonly name: string;
  readonly logFile: string;
  readonly #spec: ServerSpec;
  #state: State = { kind: 'stopped', exit: undefined };

  constructor(spec: ServerSpec) {
    this.name = spec.name;
    this.logFile = join(spec.folder, `${spec.name}.log`);
    this.#spec = spec;
  }

  /** `paused` counts as running. */
  get running(): boolean {
    return this.#state.kind !== 'stopped';
  }

  get paused(): boolean {
    return this.#state.kind === 'paused';
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#state.kind === 'stopped' ? undefined : this.#state.pid;
  }

  /** How it last ended; undefined before that and while it runs. */
  get exit(): Exit | undefined {
    return this.#state.kind === 'stopped' ? this.#state.exit : undefined;
  }

  /** Starts it and waits until it is ready. Rejects, with the end of its log, if it exits or is not ready in time. */
  async start(): Promise<void> {
    const exited = this.launch();
    const gone = new AbortController();
    void exited.then(({ code, signal }) => gone.abort(new Error(`it ended (${signal ?? `exit code ${code}`})`)));
    try {
      const { ready, readyTimeoutMs: timeoutMs = 60_000, readyIntervalMs: intervalMs, closing } = this.#spec;
      const interval = intervalMs === undefined ? {} : { intervalMs };
      await waitFor(`${this.name} to be ready`, ready, {
        ...{ timeoutMs, ...interval },
        signal: AbortSignal.any([gone.signal, closing]),
      });
    } catch (error) {
      throw new Error(`${this.name} did not start: ${reason(error)}\n${this.logTail()}`, { cause: error });
    }
  }

  /** Starts it without waiting for readiness, and returns how it ends. For programs that are expected to exit. */
  launch(): Promise<Exit> {
    if (this.#state.kind !== 'stopped') throw new Error(`${this.name} is already running`);
    this.#spec.closing.throwIfAborted();
    const { argv, folder, env } = this.#spec;
    const [file, ...args] = argv;
    const log = openSync(this.logFile, 'a');
    const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    const exited = new Promise<Exit>((resolve) => {
      child.once('error', (error) => {
        this.#state = { kind: 'stopped', exit: { code: 127, signal: null } };
        resolve({ code: 127, signal: null });
        console.error(`${this.name}: ${error.message}`);
      });
      child.once('exit', (code, signal) => {
        this.#state = { kind: 'stopped', exit: { code, signal } };
        resolve({ code, signal });
      });
    });
    // The reaper ends what still runs, and a failed test must be able to end before that.
    child.unref();
    if (child.pid !== undefined) this.#state = { kind: 'running', child, pid: child.pid, exited };
    return exited;
  }

  /** Sends a signal. SIGKILL (the default) goes to its children too, and the promise resolves at its end. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#state.kind === 'stopped') return;
    const { pid, exited } = this.#state;
    if (signal !== 'SIGKILL') {
      process.kill(pid, signal);
      return;
    }
    signalGroup(pid, signal);
    if ((await within(exited, 20_000)) === undefined) throw new Error(`${this.name} (${pid}) did not die of SIGKILL`);
  }

  /** Freezes it (SIGSTOP): connections stay open and nothing answers. It has stopped when this returns. */
  pause(): void {
    if (this.#state.kind !== 'running') throw new Error(`${this.name} is ${this.#state.kind}, not running`);
    signalGroup(this.#state.pid, 'SIGSTOP');
    awaitStop(this.#state.pid);
    this.#state = { ...this.#state, kind: 'paused' };
  }

  resume(): void {
    if (this.#state.kind !== 'paused') throw new Error(`${this.name} is ${this.#state.kind}, not paused`);
    signalGroup(this.#state.pid, 'SIGCONT');
    this.#state = { ...this.#state, kind: 'running' };
  }

  /** Sends SIGTERM, and kills it if it has not ended within `timeoutMs` (default 20,000). */
  async stop({ timeoutMs = 20_000 }: { timeoutMs?: number } = {}): Promise<Exit | undefined> {
    if (this.#state.kind === 'stopped') return this.#state.exit;
    if (this.#state.kind === 'paused') this.resume();
    const { exited } = this.#state;
    await this.kill('SIGTERM');
    const exit = await within(exited, timeoutMs);
    if (exit !== undefined) return exit;
    await this.kill('SIGKILL');
    return this.exit;
  }

  /** Stops it if it runs, and starts it again with the same address, config file and data. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** All that it has written. */
  log(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  /** The last lines of its log, under a heading. */
  logTail({ lines = 30 }: { lines?: number } = {}): string {
    const all = this.log().trimEnd().split('\n');
    return `--- ${this.name} (last ${lines} lines)\n${all.slice(-lines).join('\n')}`;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The kernel stops each thread when it next looks for signals: until then a process may still answer. */
function awaitStop(pid: number): void {
  const deadline = performance.now() + 20_000;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!isStopped(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} did not stop within 20 s of SIGSTOP`);
    Atomics.wait(pause, 0, 0, 1);
  }
}

/** Whether all threads of a process and of its children are stopped, or have ended. */
function isStopped(pid: number): boolean {
  const threads = unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.every((thread) => {
    const folder = `/proc/${pid}/task/${thread}`;
    const status = unlessGone(() => readFileSync(`${folder}/status`, 'utf8'));
    const children = unlessGone(() => readFileSync(`${folder}/children`, 'utf8')) ?? '';
    if (status !== undefined && !/^State:\t[TtZX]/m.test(status)) return false;
    return children.split(' ').filter(Boolean).map(Number).every(isStopped);
  });
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
