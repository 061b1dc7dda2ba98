import { connect } from 'node:net';

/** What HAProxy's master says of its reloads. */
export type Reloads = { done: number; failed: number };

const timeoutMs = 1_000;

/**
 * Asks the master process over its command line socket (`haproxy -S`). That it answers also means that it takes signals:
 * a SIGUSR2 in the milliseconds around its own start, when its listeners already accept, is lost.
 */
export async function readReloads(socketPath: string): Promise<Reloads> {
  const text = await ask(socketPath, 'show proc;quit');
  const match = /^\d+\s+master\s+(\d+)(?:\s+\[failed: (\d+)\])?/m.exec(text);
  if (match === null) throw new Error(`HAProxy's master answered ${JSON.stringify(text)}`);
  return { done: Number(match[1]), failed: Number(match[2] ?? 0) };
}

function ask(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ path: socketPath, timeout: timeoutMs });
    socket.setEncoding('utf8');
    socket.once('connect', () => socket.write(`${command}\n`));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.once('timeout', () => socket.destroy(new Error(`HAProxy's master did not answer in ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}
