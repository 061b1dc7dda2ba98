import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { readEvents, type StreamEvent } from '../../cmd/event-stream.ts';

t.test('events are read as they come, in pieces, among comments, until the stream ends', async (t) => {
  const pieces = [
    'retry: 2000\n\n',
    ': heartbeat\n\nid: 7\nevent: appl',
    'ied\ndata: {"a":1}\n\n',
    'data: two\n\nid: 9\n',
  ];
  const server = http.createServer(async (request, response) => {
    t.equal(request.headers['last-event-id'], '6');
    t.equal(request.url, '/v1/events?key=shard1');
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seen: StreamEvent[] = [];
  const place = { api: { api }, filter: { key: 'shard1' } };
  for await (const event of readEvents(place, { lastEventId: '6', signal: AbortSignal.timeout(20_000) })) {
    seen.push(event);
  }
  t.strictSame(seen, [
    { id: undefined, name: 'connected', data: '' },
    { id: '7', name: 'applied', data: '{"a":1}' },
    { id: undefined, name: 'message', data: 'two' },
  ]);
});
