import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import t, { type Test } from 'tap';
import { ErrorReply, encodeReply, type Reply } from '../../lib/endpoint/resp/reply.ts';
import { RequestParser } from '../../lib/endpoint/resp/request-parser.ts';
import type { Address } from '../../lib/model/address.ts';
import { askSentinels } from '../../lib/removal/sentinels.ts';

const limits = { lineBytes: 1_000, bulkBytes: 1_000, commandBytes: 10_000, arguments: 10 };
const id = 'a'.repeat(40);
const monitored = (ip: string): Reply => ['name', 'm', 'ip', ip, 'port', '6379'];

/** A Sentinel that answers from a table of subcommands. */
async function startSentinel(
  t: Pick<Test, 'teardown'>,
  replies: { readonly MYID?: Reply; readonly MASTERS: Reply; readonly SENTINELS?: Reply },
): Promise<Address> {
  const server = createServer((socket) => {
    const parser = new RequestParser(() => limits);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      parser.push(chunk);
      for (let command = parser.next(); command !== undefined; command = parser.next()) {
        const reply = { MYID: id, SENTINELS: [], ...replies }[command[1] as 'MYID'];
        socket.write(encodeReply(reply ?? new ErrorReply('ERR unknown'), 2));
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => void server.close());
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

const ask = (...addresses: readonly Address[]) => askSentinels('m', { addresses, access: {} });

t.test('a Sentinel that cannot resolve the name of the master monitors it', async (t) => {
  const address = await startSentinel(t, { MASTERS: [monitored('')] });
  t.strictSame(await ask(address), [{ address, state: 'monitors', master: undefined }]);
});

t.test('a Sentinel that refuses to answer is not one that does not answer', async (t) => {
  const texts = [
    'NOAUTH Authentication required.',
    'WRONGPASS invalid username-password pair or user is disabled.',
    "NOPERM User default has no permissions to run the 'sentinel|masters' command",
    'DENIED Redis is running in protected mode',
    'ERR max number of clients reached',
  ];
  for (const text of texts) {
    const address = await startSentinel(t, { MASTERS: new ErrorReply(text) });
    t.match(await ask(address), [{ address, state: 'unreadable' }], text);
  }
  const odd = await startSentinel(t, { MASTERS: 'OK' });
  t.match(await ask(odd), [{ state: 'unreadable' }], 'an answer that is none');
  const hides = await startSentinel(t, {
    MASTERS: [['name', 'other', 'ip', '10.0.0.9', 'port', '6379']],
    SENTINELS: new ErrorReply('NOPERM User default has no permissions'),
  });
  t.match(await ask(hides), [{ state: 'unreadable' }], 'the Sentinels that it knows may monitor the master');
});

t.test('a Redis at the address of a former Sentinel, and nobody there, are unreachable', async (t) => {
  const unknown = new ErrorReply("ERR unknown command 'SENTINEL', with args beginning with: 'MASTERS'");
  const redis = await startSentinel(t, { MYID: unknown, MASTERS: unknown });
  t.match(await ask(redis), [{ state: 'unreachable', why: /is a Redis, not a Sentinel/ }]);
  t.match(await ask({ host: '127.0.0.1', port: 1 }), [{ state: 'unreachable' }]);
});

t.test('a copy of a Sentinel does not hide what another of the same id monitors', async (t) => {
  const unaware = await startSentinel(t, { MASTERS: [] });
  const monitors = await startSentinel(t, { MASTERS: [monitored('10.0.0.1')] });
  const again = await startSentinel(t, { MASTERS: [monitored('10.0.0.1')] });
  t.match(await ask(unaware, monitors, again), [
    { address: unaware, state: 'unaware' },
    { address: monitors, state: 'monitors', master: { host: '10.0.0.1', port: 6379 } },
  ]);
  t.equal((await ask(unaware, monitors, again)).length, 2, 'equal answers of one process count once');
});
