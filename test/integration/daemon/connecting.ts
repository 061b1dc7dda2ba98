// A worker: connects all the time until it gets a message, then answers how often each end came.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import type { Connecting } from './connections.ts';

const { address, request, tls } = workerData as Connecting;
const lanes = 3;
const ends: Record<string, number> = {};
let isStopped = false;

/** `answered`, the code of an error, or `closed` without an answer. */
function connectOnce(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket: Socket = tls ? connectTls({ ...address, rejectUnauthorized: false }) : connect(address);
  socket.on('data', () => {
    resolve('answered');
    socket.destroy();
  });
  socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(String(code)));
  socket.on('close', () => resolve('closed'));
  socket.write(request);
  return promise;
}

async function repeat(): Promise<void> {
  while (!isStopped) {
    const end = await connectOnce();
    ends[end] = (ends[end] ?? 0) + 1;
  }
}

parentPort?.once('message', () => {
  isStopped = true;
});
const running = Array.from({ length: lanes }, repeat);
parentPort?.postMessage('started');
await Promise.all(running);
parentPort?.postMessage(ends);
