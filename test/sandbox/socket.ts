import { connect } from 'node:net';

const timeoutMs = 5_000;

/** Sends a line, if there is one, and returns everything until the server closes. For protocols with one answer. */
export function askSocket(to: { path: string } | { host: string; port: number }, line = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect({ ...to, timeout: timeoutMs });
    socket.setEncoding('utf8');
    socket.once('connect', () => (line === '' ? undefined : socket.write(`${line}\n`)));
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)));
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
  });
}
