import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { hasEnded } from '../../../model/process-stat.ts';
import { type CommandOutput, hasRoom, openTemporary } from '../command-output.ts';
import { signalGroup } from '../process-group.ts';
import { readProcessStat } from '../process-stat.ts';
import { follow, type Started } from '../started.ts';

/*
 * A shell that waits for the script of one command, and becomes that command.
 *
 *   waiting   nothing was written to it
 *   used      it got the script of its only command
 *   over      it ended, or was ended, without a command
 */

/** How long a process may take to stop. */
const stoppedMs = 500;
/** How long the last words of a stopped process may take to arrive. */
const stopMs = 10;
/** How long a killed process may take to end. It runs nothing more in this time. */
const killedMs = 2_000;

export class WaitingShell {
  readonly #child: ChildProcess;
  readonly #started: Started;
  readonly #output: CommandOutput;
  readonly #stdin: Socket;
  /** Descriptor 3 of the shell. Whatever comes from it says that the command starts. */
  readonly #reply: Socket;
  #state: 'waiting' | 'used' | 'over' = 'waiting';

  /** undefined where none can be started. `onLost`: it ended without a command. It does not keep the process running. */
  static start(shell: string, onLost: (shell: WaitingShell) => void): WaitingShell | undefined {
    const output = openTemporary();
    if (output === undefined) return undefined;
    try {
      return new WaitingShell(shell, { output, onLost });
    } catch {
      output.close();
      return undefined;
    }
  }

  private constructor(path: string, of: { output: CommandOutput; onLost: (shell: WaitingShell) => void }) {
    this.#output = of.output;
    const { descriptor } = of.output;
    // Its environment would be visible as long as it waits. The command gets the environment of its time.
    this.#child = spawn(path, [], { env: {}, stdio: ['pipe', descriptor, descriptor, 'pipe'], detached: true });
    this.#started = follow(this.#child);
    this.#stdin = this.#child.stdin as Socket;
    this.#reply = this.#child.stdio[3] as Socket;
    for (const socket of [this.#stdin, this.#reply]) {
      // The shell has ended. Its exit is noticed too.
      socket.on('error', () => undefined);
      socket.unref();
    }
    this.#child.unref();
    void this.#started.ended.then(() => {
      if (this.#state !== 'waiting') return;
      this.#state = 'over';
      this.#release();
      this.#output.close();
      of.onLost(this);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether the output that it inherited still takes content. What the shell itself wrote is no output of a command. */
  get isReady(): boolean {
    return this.#state === 'waiting' && this.#output.read() === '' && hasRoom(this.#output);
  }

  /** Ends a shell that waits. If the daemon ends in any way, it exits by itself, at the end of its input. */
  end(): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'over';
    signalGroup(this.pid, 'SIGKILL');
    this.#release();
    this.#output.close();
  }

  /**
   * Makes it the command of `script`. undefined if the command has not started within `limitMs`, and never will in this process.
   * Otherwise the caller closes the output.
   */
  async become(script: string, limitMs: number): Promise<(Started & { readonly output: CommandOutput }) | undefined> {
    this.#state = 'used';
    this.#child.ref();
    const answer = new StartAnswer(this.#reply);
    this.#stdin.end(script);
    await answer.within(limitMs);
    if (answer.state === 'open') await this.#giveUp(answer);
    this.#release();
    if (answer.state === 'started') return { ...this.#started, output: this.#output };
    this.#output.close();
    return undefined;
  }

  /** Stops it first. The answer is complete then, so a command that has just started is not killed. */
  async #giveUp(answer: StartAnswer): Promise<void> {
    signalGroup(this.pid, 'SIGSTOP');
    await this.#untilStopped(answer);
    await answer.within(stopMs);
    if (answer.state === 'started') {
      signalGroup(this.pid, 'SIGCONT');
      return;
    }
    signalGroup(this.pid, 'SIGKILL');
    await answer.within(killedMs);
  }

  /** A processor that other programs use may let it run on for a while. */
  async #untilStopped(answer: StartAnswer): Promise<void> {
    const untilMs = performance.now() + stoppedMs;
    while (answer.state === 'open' && performance.now() < untilMs) {
      const stat = await readProcessStat(this.pid ?? 0);
      if (stat === undefined || stat.state === 'T' || hasEnded(stat)) return;
      await answer.within(1);
    }
  }

  #release(): void {
    this.#stdin.destroy();
    this.#reply.destroy();
  }
}

/** What comes over a shell's descriptor 3: something when the command starts, or its end before that. */
class StartAnswer {
  state: 'open' | 'started' | 'ended' = 'open';
  readonly #known = Promise.withResolvers<void>();

  constructor(reply: Socket) {
    const become = (state: 'started' | 'ended') => {
      if (this.state === 'open') this.state = state;
      this.#known.resolve();
    };
    reply.once('data', () => become('started'));
    for (const event of ['end', 'close']) reply.once(event, () => become('ended'));
    if (reply.destroyed) become('ended');
  }

  /** Resolves when it is known, and after `limitMs` at the latest. */
  async within(limitMs: number): Promise<void> {
    if (this.state !== 'open') return;
    const { promise, resolve } = Promise.withResolvers<void>();
    // Where the event loop stood still, the timer is first, and the answer waits to be read.
    const timer = setTimeout(() => setImmediate(resolve), limitMs);
    await Promise.race([this.#known.promise, promise]);
    clearTimeout(timer);
  }
}
