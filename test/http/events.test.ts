import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { createParser } from 'eventsource-parser';
import t, { type Test } from 'tap';
import { Journal } from '../../lib/telemetry/journal.ts';
import { waitFor } from '../sandbox/condition.ts';
import { exampleReport } from '../telemetry/report.ts';
import { listen, serve } from './serve.ts';
import { exampleViews } from './views.ts';

function record(journal: Journal, summary: string, key = 'shard1'): void {
  journal.observe(exampleReport({ kind: 'applied', summary }, { key }));
}

function until(description: string, condition: () => boolean): Promise<boolean> {
  return waitFor(description, condition, { intervalMs: 2 });
}

interface ReadOptions {
  readonly path?: string;
  readonly lastEventId?: number;
  /** The address that the reader connects from. */
  readonly from?: string;
}

/** Reads a stream of events as a browser does. */
async function read(t: Test, port: number, options: ReadOptions = {}) {
  const headers = options.lastEventId === undefined ? {} : { 'last-event-id': String(options.lastEventId) };
  const { path = '/v1/events', from: localAddress = '127.0.0.1' } = options;
  const request = http.get({ host: '127.0.0.1', port, path, headers, localAddress, agent: false });
  t.teardown(() => void request.destroy());
  request.on('error', () => {});
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const events: { readonly id: number; readonly event: string | undefined; readonly data: { summary: string } }[] = [];
  const comments: string[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => events.push({ id: Number(id), event, data: JSON.parse(data) }),
    onComment: (comment) => comments.push(comment),
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => parser.feed(chunk));
  response.on('error', () => {});
  return { response, comments, events, request };
}

t.test('readers get each outcome as it is written', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const { server } = serve(t, exampleViews({ journal }));
  const stream = await read(t, await listen(server));
  t.match(stream.response.headers, { 'content-type': /text\/event-stream/, 'cache-control': 'no-store' });
  record(journal, 'moved');
  await until('the event arrives', () => stream.events.length === 1);
  t.match(stream.events[0], { id: journal.lastId, event: 'applied', data: { key: 'shard1', summary: 'moved' } });
});

t.test('a reader that comes back gets exactly what it missed', async (t) => {
  const journal = new Journal({ capacity: 100 });
  for (const summary of ['a', 'b', 'c']) record(journal, summary);
  const [, { id }] = journal.list({ limit: 2 }) as [unknown, { id: number }];
  const { server } = serve(t, exampleViews({ journal }));
  const stream = await read(t, await listen(server), { lastEventId: id });
  record(journal, 'd');
  await until('what was missed arrives', () => stream.events.length === 2);
  t.strictSame(
    stream.events.map(({ data }) => data.summary),
    ['c', 'd'],
  );
});

t.test('a reader that was away too long gets a gap event', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const first = journal.lastId;
  for (let i = 0; i < 500; i += 1) record(journal, `change ${i}`);
  const { server } = serve(t, exampleViews({ journal }));
  const stream = await read(t, await listen(server), { lastEventId: first });
  await until('the events arrive', () => stream.events.length > 100);
  t.equal(stream.events[0]?.event, 'gap');
  t.equal(stream.events.at(-1)?.data.summary, 'change 499');
});

t.test('a reader without an id, or with an unknown one, gets only new events', async (t) => {
  const journal = new Journal({ capacity: 100 });
  record(journal, 'before');
  const { server } = serve(t, exampleViews({ journal }));
  const port = await listen(server);
  const plain = await read(t, port);
  const odd = await read(t, port, { path: '/v1/events?lastEventId=__proto__' });
  record(journal, 'after');
  await until('both readers have it', () => plain.events.length === 1 && odd.events.length === 1);
  t.equal(odd.events[0]?.data.summary, 'after');
});

t.test('a reader may follow one key', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const { server } = serve(t, exampleViews({ journal }));
  const stream = await read(t, await listen(server), { path: '/v1/events?key=shard2' });
  record(journal, 'one', 'shard1');
  record(journal, 'two', 'shard2');
  await until('the event arrives', () => stream.events.length > 0);
  t.strictSame(
    stream.events.map(({ data }) => data.summary),
    ['two'],
  );
});

t.test('heartbeats show that the connection is alive', async (t) => {
  const { server } = serve(t, exampleViews(), { heartbeatMs: 10 });
  const stream = await read(t, await listen(server));
  await until('two heartbeats arrive', () => stream.comments.filter((comment) => comment === 'heartbeat').length >= 2);
});

t.test('a reader that does not read is cut off, and no other notices', async (t) => {
  const journal = new Journal({ capacity: 10_000 });
  const { server, streams } = serve(t, exampleViews({ journal }), { heartbeatMs: 50, stallMs: 1_000 });
  const port = await listen(server);
  const good = await read(t, port);
  const stalled = net.connect(port, '127.0.0.1');
  t.teardown(() => void stalled.destroy());
  stalled.pause();
  stalled.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await until('the stalled reader is there', () => streams.size === 2);
  let written = 0;
  await until('the stalled reader is cut off', () => {
    // The kernel's buffers are the first to fill.
    for (let i = 0; streams.size === 2 && i < 50; i += 1) {
      written += 1;
      record(journal, `${'x'.repeat(4_000)} ${written}`);
    }
    return streams.size === 1;
  });
  await until('the good reader has it all', () => good.events.at(-1)?.data.summary.endsWith(` ${written}`) === true);
  t.equal(good.events.length, written);
});

t.test('a reader that pauses continues where it was, with nothing lost and nothing twice', async (t) => {
  const journal = new Journal({ capacity: 10_000 });
  const { server } = serve(t, exampleViews({ journal }));
  const stream = await read(t, await listen(server));
  stream.response.pause();
  for (let i = 0; i < 3_000; i += 1) record(journal, `${'x'.repeat(2_000)} ${i}`);
  stream.response.resume();
  record(journal, 'last');
  await until('it has it all', () => stream.events.at(-1)?.data.summary === 'last');
  const ids = stream.events.map(({ id }) => id);
  t.equal(ids.length, 3_001);
  t.strictSame(
    ids,
    [...new Set(ids)].sort((a, b) => a - b),
  );
});

t.test('stalled readers cost no memory, however much is written', async (t) => {
  const journal = new Journal({ capacity: 100 });
  const { server, streams } = serve(t, exampleViews({ journal }));
  const port = await listen(server);
  const sockets = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1').pause());
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (const socket of sockets) socket.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await until('all readers are there', () => streams.size === 40);
  const write = () => {
    for (let i = 0; i < 300; i += 1) record(journal, 'x'.repeat(4_000));
  };
  for (let i = 0; i < 20; i += 1) {
    write();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const before = process.memoryUsage().external + process.memoryUsage().heapUsed;
  for (let i = 0; i < 20; i += 1) {
    write();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const grown = process.memoryUsage().external + process.memoryUsage().heapUsed - before;
  // A buffer of 24 MB for each of forty readers would be a gigabyte.
  t.ok(grown < 200 * 1024 * 1024, `grew by ${grown}`);
});

t.test('the number of readers is limited', async (t) => {
  const { server, streams } = serve(t, exampleViews(), { maxStreams: 2 });
  const port = await listen(server);
  const first = await read(t, port);
  await read(t, port);
  const third = await fetch(`http://127.0.0.1:${port}/v1/events`);
  t.equal(third.status, 429);
  t.match(await third.json(), { error: { code: 'request-throttled' } });
  first.request.destroy();
  await until('the first reader is gone', () => streams.size === 1);
});

t.test('a client with many readers locks out no other one', async (t) => {
  const { server, streams } = serve(t, exampleViews(), { maxStreams: 3 });
  const port = await listen(server);
  const readers = [await read(t, port), await read(t, port), await read(t, port)];
  for (const { response } of readers) response.on('error', () => undefined);
  const statusFrom = async (from: string) => (await read(t, port, { from })).response.statusCode;
  t.equal(await statusFrom('127.0.0.2'), 200);
  await until('the newest reader of the first client is gone', () => readers[2]?.response.destroyed === true);
  t.equal(await statusFrom('127.0.0.3'), 200);
  t.equal(await statusFrom('127.0.0.4'), 429, 'each client has one');
  t.equal(streams.size, 3);
  t.notOk(readers[0]?.response.destroyed);
});

t.test('the readers at one address are limited, and lock out nobody at another', async (t) => {
  const { server, streams } = serve(t, exampleViews(), { maxStreamsPerClient: 1 });
  const port = await listen(server);
  const first = await read(t, port);
  t.equal((await read(t, port)).response.statusCode, 429);
  t.equal((await read(t, port, { from: '127.0.0.2' })).response.statusCode, 200);
  t.equal(streams.size, 2);
  first.request.destroy();
  await until('the first reader is gone', () => streams.size === 1);
  t.equal((await read(t, port)).response.statusCode, 200);
});

t.test('streams end when the server closes', async (t) => {
  const { server, streams } = serve(t);
  const stream = await read(t, await listen(server));
  await server.close();
  await once(stream.response, 'close');
  t.equal(streams.size, 0);
});
