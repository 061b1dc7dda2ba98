import t from 'tap';
import type { EndpointHandover } from '../../lib/endpoint/part.ts';
import { Handover } from '../../lib/listening.ts';
import { startEndpoint } from '../integration/support/endpoints.ts';
import { RespConnection, redisCli } from '../sandbox/resp.ts';

// Nobody listens there.
const consul = { http: { host: '127.0.0.1', port: 1 } };

t.test('between two parts of a reload, the server answers and passes on messages', async (t) => {
  const handover: EndpointHandover = new Handover();
  const first = await startEndpoint(t, { consul, handover });
  const subscriber = await RespConnection.open(first.address);
  t.teardown(() => subscriber.close());
  const { promise: message, resolve } = Promise.withResolvers<string>();
  subscriber.onMessage = (_channel, payload) => resolve(payload);
  await subscriber.command('SUBSCRIBE', '+reboot');
  // The rest of the daemon stops after this, which takes seconds without an answer of Consul.
  await first.part.stop({ graceMs: 1_000, cause: 'reload' });
  t.equal(await redisCli(first.address, ['PING']), 'PONG');
  first.part.reportReboot('master shard1 127.0.0.1 6379');
  t.equal(await message, 'master shard1 127.0.0.1 6379');
  const second = await startEndpoint(t, { consul, handover });
  t.equal(second.address.port, first.address.port);
  await t.rejects(subscriber.command('PING'), /closed the connection/, 'it connects again, and asks again');
  t.equal(await redisCli(first.address, ['PING']), 'PONG');
});
