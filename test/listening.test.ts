import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import t from 'tap';
import { Handover, Listening } from '../lib/listening.ts';
import { waitFor } from './sandbox/condition.ts';

/** Listens at a port of the loopback device. */
function makeServer(port: number) {
  const server = createServer();
  return {
    listen: async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return { port: portOf(server) };
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

function portOf(server: Server): number {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** A port that is taken until `free` is called. */
async function takePort(t: { teardown(fn: () => void): unknown }) {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  t.teardown(() => holder.close());
  return { port: portOf(holder), free: () => new Promise((resolve) => holder.close(resolve)) };
}

t.test('a server listens once its address is free, and its refusal is reported once', async (t) => {
  const { port, free } = await takePort(t);
  const events: string[] = [];
  let attempts = 0;
  const listening = new Listening<{ port: number }, ReturnType<typeof makeServer>>({
    makeServer: () => {
      attempts += 1;
      return makeServer(port);
    },
    onListening: (bound) => events.push(`listening ${bound.port}`),
    onRefused: (why) => events.push(why),
  });
  t.teardown(() => listening.stop());
  await listening.start();
  t.match(listening.state, { kind: 'refused', why: /EADDRINUSE/ });
  t.match(listening.missing, [/^cannot listen: .*EADDRINUSE/]);
  t.equal(listening.server, undefined);
  await waitFor('a second attempt', () => attempts >= 2);
  t.match(events, [/EADDRINUSE/]);
  await free();
  await waitFor('it to listen', () => listening.server !== undefined);
  t.strictSame(listening.state, { kind: 'listening', port });
  t.strictSame(listening.missing, []);
  t.strictSame(events.slice(1), [`listening ${port}`]);
});

t.test('stopping ends the attempts', async (t) => {
  const { port, free } = await takePort(t);
  const options = { makeServer: () => makeServer(port), onListening: () => {}, onRefused: () => {} };
  const listening = new Listening(options);
  await listening.start();
  await listening.stop();
  await free();
  const other = new Listening(options);
  await other.start();
  t.match(other.state, { kind: 'listening' }, 'the address is free');
  await other.stop();
  t.strictSame([listening.state, other.state], [{ kind: 'closed' }, { kind: 'closed' }]);
});

t.test('a server that comes up while it is stopped is closed, and not reported', async (t) => {
  const begun = Promise.withResolvers<void>();
  let isClosed = false;
  const listening = new Listening({
    makeServer: () => ({ listen: () => begun.promise.then(() => ({})), close: async () => (isClosed = true) }),
    onListening: () => t.fail('it is reported'),
    onRefused: () => t.fail('it is refused'),
  });
  const started = listening.start();
  const stopped = listening.stop();
  begun.resolve();
  await Promise.all([started, stopped]);
  t.equal(isClosed, true);
});

t.test('what a server answers from is released when the next part has the server, or it has closed', async (t) => {
  const events: string[] = [];
  const handover = new Handover<{ port: number }, ReturnType<typeof makeServer>>();
  const make = (name: string, isAdopted: boolean) =>
    new Listening<{ port: number }, ReturnType<typeof makeServer>>({
      makeServer: () => makeServer(0),
      succession: { handover, adopt: async () => isAdopted, release: () => void events.push(name) },
      onListening: () => events.push(`${name} listens`),
      onRefused: (why) => t.fail(why),
    });
  const [first, second, third] = [make('first', false), make('second', true), make('third', false)];
  await first.start();
  const { server } = first;
  await first.stop('reload');
  t.equal(first.server, server, 'it still answers');
  await second.start();
  t.equal(second.server, server);
  t.equal(first.server, undefined);
  await second.stop('reload');
  await third.start();
  t.not(third.server, server, 'another server');
  await third.stop('reload');
  await handover.close();
  t.strictSame(events, ['first listens', 'first', 'second listens', 'second', 'third listens', 'third']);
});
