import { Worker } from 'node:worker_threads';
import type { CommandAnswer, CommandRequest } from './command-worker.ts';
import type { Finished } from './program.ts';

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, { resolve(answer: Finished): void; reject(error: unknown): void }>();

/**
 * Runs a command of switchmaster as `runProgram` does, without the start of a process for each: all of them share one
 * worker thread, in which the program stays loaded. It has no terminal, and gets no signals.
 */
export function runCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  worker ??= startWorker();
  lastId += 1;
  const request: CommandRequest = { id: lastId, argv, environment };
  const answer = new Promise<Finished>((resolve, reject) => waiting.set(request.id, { resolve, reject }));
  // Between commands the worker does not keep the process alive.
  worker.ref();
  worker.postMessage(request);
  return answer;
}

function startWorker(): Worker {
  const worker = new Worker(new URL('command-worker.ts', import.meta.url), { stdout: true, stderr: true });
  worker.on('message', ({ id, ...finished }: CommandAnswer) => {
    waiting.get(id)?.resolve(finished);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  });
  worker.on('error', (error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });
  return worker;
}
