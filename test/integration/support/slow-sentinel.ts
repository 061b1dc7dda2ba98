import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../../lib/model/address.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';

/**
 * A proxy for a Sentinel. It passes messages on at once, and delays answers, as a loaded machine does. A connection is for
 * messages from PSUBSCRIBE on.
 */
export async function slowAnswers(
  t: Pick<TestLike, 'teardown'>,
  options: { readonly sentinel: Address; readonly listen: Address; readonly delayMs: () => number },
): Promise<Address> {
  const { sentinel, listen, delayMs } = options;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(sentinel.port, sentinel.host);
    let kind: 'questions' | 'messages' = 'questions';
    let sent = Promise.resolve();
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      if (/psubscribe/i.test(chunk.toString('latin1'))) kind = 'messages';
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => {
      const due = kind === 'messages' ? Promise.resolve() : delay(delayMs());
      sent = Promise.all([sent, due]).then(() => void client.write(chunk));
    });
  });
  await new Promise<void>((resolve) => server.listen(listen.port, listen.host, resolve));
  t.teardown(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return listen;
}
