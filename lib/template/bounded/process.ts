import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { extname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SwitchmasterError } from '../../errors.ts';
import { bundleProgram, renderProcessArgument } from '../../package-files.ts';
import { templateFailure } from '../helper.ts';
import { limitProcess } from './cpu-limit.ts';
import { processLimits } from './limits.ts';
import type { RenderReply, RenderRequest } from './wire.ts';

const child = {
  program: bundleProgram ?? new URL(`./child${extname(import.meta.url)}`, import.meta.url),
  args: bundleProgram === undefined ? [] : [renderProcessArgument],
};

/** What the process does not know yet: answers from Consul, by query id, and files, by path. */
export interface News {
  readonly answers: Extract<RenderRequest, { readonly kind: 'answers' }>['answers'];
  readonly files: readonly Extract<RenderRequest, { readonly kind: 'file' }>['file'][];
}

/**
 * One process that renders one template. It is not a thread, because V8 ends the whole process if a single allocation
 * exceeds the memory of a thread. The caller asks one question at a time.
 */
export class RenderProcess {
  readonly #child: ChildProcess;
  readonly #file: string;
  #late = false;

  /** `file`: the template's name in messages. `history`: of the renders before; `late`: one took too long. */
  constructor({ file, history }: { readonly file: string; readonly history: 'new' | 'in-time' | 'late' }) {
    this.#file = file;
    this.#child = fork(child.program, child.args, {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${processLimits.maxHeapMiB}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    // Sending fails after the process has ended; `exit` reports that.
    this.#child.on('error', () => undefined);
    // It must not keep a command from ending.
    this.#child.unref();
    this.#child.channel?.unref();
    if (history === 'late') this.yield();
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.connected;
  }

  /** In parts, so that other work is not held up. */
  async send({ answers, files }: News): Promise<void> {
    for (let i = 0; i < answers.length; i += answersAtOnce) {
      if (i > 0) await nextTurn();
      this.#send({ kind: 'answers', answers: answers.slice(i, i + answersAtOnce) });
    }
    for (const file of files) {
      await nextTurn();
      this.#send({ kind: 'file', file });
    }
  }

  /** Throws `template-failed` if the process ends instead of a reply, also by the limits of time and memory. */
  async ask(request: RenderRequest): Promise<RenderReply> {
    if (!this.isAlive) throw this.#describeEnd();
    const settled = new AbortController();
    const endLimit = this.#limit(request);
    const { signal } = settled;
    this.#child.ref();
    try {
      const reply = once(this.#child, 'message', { signal }).then(([message]) => message as RenderReply);
      const exit = once(this.#child, 'exit', { signal }).then(() => undefined);
      this.#send(request);
      const first = await Promise.race([reply, exit]);
      if (first === undefined) throw this.#describeEnd();
      return first;
    } finally {
      endLimit();
      settled.abort();
      this.#child.unref();
    }
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }

  #send(request: RenderRequest): void {
    if (this.#child.connected) this.#child.send(request);
  }

  #limit({ kind }: RenderRequest): () => void {
    const { pid } = this.#child;
    const limit = kind === 'compile' ? processLimits.start : processLimits.render;
    const onReached = () => {
      this.#late = true;
      this.close();
    };
    return pid === undefined ? () => undefined : limitProcess({ pid, limit, onReached });
  }

  #describeEnd(): SwitchmasterError {
    const { signalCode, exitCode } = this.#child;
    if (this.#late) return templateFailure(`${this.#file}: the template does not end in time.`);
    if (signalCode === 'SIGABRT' || exitCode === 134) {
      return templateFailure(`${this.#file}: the template needs more than ${processLimits.maxHeapMiB} MiB.`);
    }
    return templateFailure(`${this.#file}: the render process ended (${signalCode ?? exitCode ?? 'disconnected'}).`);
  }

  /** Lowers its priority for good, so that it takes no processor time from a failover. */
  yield(): void {
    try {
      if (this.#child.pid !== undefined) setPriority(this.#child.pid, constants.priority.PRIORITY_LOW);
    } catch {
      // It has ended already.
    }
  }
}

/** One part takes about a millisecond to send. */
const answersAtOnce = 64;
