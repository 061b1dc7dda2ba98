import { cpus } from 'node:os';

/** How busy the machine's processors are. */
export class Processors {
  #last = readTimes();

  /** The share of the time since the last call, or since the construction, in which they were idle: 0 to 1. */
  idleShare(): number {
    const now = readTimes();
    const allMs = now.allMs - this.#last.allMs;
    const idleMs = now.idleMs - this.#last.idleMs;
    this.#last = now;
    return allMs === 0 ? 0 : idleMs / allMs;
  }
}

function readTimes(): { readonly allMs: number; readonly idleMs: number } {
  const times = cpus().map((processor) => processor.times);
  const sum = (read: (one: (typeof times)[number]) => number) => times.reduce((total, one) => total + read(one), 0);
  return {
    allMs: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
    idleMs: sum(({ idle }) => idle),
  };
}
