import type { Endpoint } from '../model/address.ts';
import type { LinkFault } from '../model/link-fault.ts';
import { Semaphore } from '../semaphore.ts';
import { diagnose } from './diagnosis.ts';
import { faultOfError, faultOfReply } from './fault.ts';
import type { ClientTls } from './tls.ts';

export interface FaultFinderOptions {
  readonly address: Endpoint;
  readonly tls: ClientTls | undefined;
  /** `fault` changed. */
  readonly onChange?: (() => void) | undefined;
}

const timeoutMs = 1_500;
const firstPauseMs = 2_000;
const longestPauseMs = 60_000;

/**
 * Of the whole process: each diagnosis is up to two connections and a TLS handshake, and on a busy machine all servers may be silent at
 * once. Another one waits until its next request fails.
 */
const diagnoses = new Semaphore({ places: () => 32 });

/**
 * Why a connection that is kept open does not work. Where neither a reply nor an error says why, it connects once more
 * by itself, in the background and rarely.
 */
export class FaultFinder {
  readonly #options: FaultFinderOptions;
  #fault: LinkFault | undefined;
  #running: Promise<void> | undefined;
  #pauseMs = firstPauseMs;
  #nextMs = 0;
  /** How many requests were answered. A diagnosis that began before the last one is out of date. */
  #answers = 0;
  #closed = false;

  constructor(options: FaultFinderOptions) {
    this.#options = options;
  }

  get fault(): LinkFault | undefined {
    return this.#fault;
  }

  /** The server answered a request: whatever was wrong has passed. */
  answered(): void {
    this.#answers += 1;
    this.#pauseMs = firstPauseMs;
    this.#nextMs = 0;
    this.#become(undefined);
  }

  /** A request or a connection failed. */
  failed(thrown: unknown): void {
    const isReply = thrown instanceof Error && thrown.name === 'ReplyError';
    const fault = isReply ? faultOfReply(thrown.message) : faultOfError(thrown);
    // A port that waits for the end of a handshake is silent too.
    if (fault !== undefined && fault !== 'silent') this.#become(fault);
    else if (!isReply) this.#diagnose();
  }

  /** The fault, after a diagnosis that runs. */
  async find(): Promise<LinkFault | undefined> {
    await this.#running;
    return this.#fault;
  }

  close(): void {
    this.#closed = true;
  }

  #diagnose(): void {
    const nowMs = performance.now();
    if (this.#closed || this.#running !== undefined || nowMs < this.#nextMs) return;
    const permit = diagnoses.permit();
    if (!permit.tryEnter()) return;
    this.#nextMs = nowMs + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    const { address, tls } = this.#options;
    const answersBefore = this.#answers;
    // Node.js refuses some addresses with an exception. A diagnosis that fails must not end the process.
    this.#running = diagnose(address, { tls, timeoutMs })
      .catch(() => undefined)
      .finally(() => permit.leave())
      .then((fault) => {
        this.#running = undefined;
        const isCurrent = !this.#closed && this.#answers === answersBefore;
        if (fault !== undefined && isCurrent) this.#become(fault);
      });
  }

  #become(fault: LinkFault | undefined): void {
    if (fault === this.#fault) return;
    this.#fault = fault;
    this.#options.onChange?.();
  }
}
