import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Address } from '../../../lib/model/address.ts';

export interface Connecting {
  readonly address: Address;
  /** What each connection sends. Any answer to it counts. */
  readonly request: string;
  readonly tls: boolean;
}

/** Connects all the time from a thread of its own, while `work` runs. Answers how often each end of a connection came. */
export async function connectWhile(
  connecting: Connecting,
  work: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const worker = new Worker(new URL('connecting.ts', import.meta.url), { workerData: connecting });
  try {
    await once(worker, 'message');
    await work();
    worker.postMessage('stop');
    const [ends] = await once(worker, 'message');
    return ends;
  } finally {
    await worker.terminate();
  }
}
