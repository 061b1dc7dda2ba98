import { setTimeout as delay } from 'node:timers/promises';
import { SwitchmasterError } from '../../errors.ts';
import { type StepSignals, untilInterrupted } from './interruption.ts';

/** How long a reload may continue that a change of master waits for. Then its command is terminated. */
const graceMs = 2_000;
/** How long a terminated reload may take to end before the next reload begins. */
const terminationMs = 1_000;

interface Flight {
  readonly done: Promise<void>;
  readonly terminate: AbortController;
}

/**
 * The reload of one consumer. A reload that is killed half-way leaves its consumer in an unknown state. When a change of
 * master interrupts one, it continues, and the next reload waits for its end.
 */
export class ReloadInFlight {
  #flight: Flight | undefined;

  /** Runs a reload after the one in flight. Rejects when it is interrupted; the reload then continues. */
  async run(signals: StepSignals, reload: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await untilInterrupted(this.settle(), signals.interrupted);
    const terminate = new AbortController();
    const flight = { done: reload(AbortSignal.any([signals.signal, terminate.signal])), terminate };
    this.#flight = flight;
    const forget = () => {
      if (this.#flight === flight) this.#flight = undefined;
    };
    flight.done.then(forget, forget);
    await untilInterrupted(flight.done, signals.interrupted);
  }

  /** Waits for the reload in flight. Terminates it after {@link graceMs}. */
  async settle(): Promise<void> {
    const flight = this.#flight;
    if (flight === undefined) return;
    const reason = new SwitchmasterError('command-failed', 'A change of master waits for the reload.');
    const timer = setTimeout(() => flight.terminate.abort(reason), graceMs);
    const ended = flight.done.catch(() => undefined);
    await Promise.race([ended, delay(graceMs + terminationMs, undefined, { ref: false })]);
    clearTimeout(timer);
  }
}
