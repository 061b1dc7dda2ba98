import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createParser } from 'eventsource-parser';
import t from 'tap';
import type { JournalEntry } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Many readers of a daemon's event stream, half of which read nothing. `npm run test:field` has two hundred. */
// A busy machine takes its time.
t.setTimeout(240_000);
const remembered = 3_000;
const halfOfReaders = Number(process.env.EVENT_READERS ?? 60) / 2;
const lateReaders = halfOfReaders / 10;
const rounds = 20;
const sandbox = await Sandbox.openFor(t, { name: 'readers' });
const consul = await sandbox.consul();
await consul.putKey('load', 'none');
sandbox.write('load.hbs', '{{key "load"}}\n');
const daemon = await sandbox.switchmaster({
  config: {
    consul: { address: consul.url },
    templates: Array.from({ length: 5 }, (_, i) => ({
      source: sandbox.path('load.hbs'),
      destination: sandbox.path(`load${i}.conf`),
      wait: { min: '0ms', max: '1ms' },
    })),
    // Of an earlier run. The kernel buffers some megabytes for a reader before the daemon detects that it does not read.
    journal: { file: sandbox.write('journal.jsonl', Array.from({ length: remembered }, lineOf).join('')) },
  },
});

/** As an earlier version wrote it. */
function lineOf(_: unknown, index: number): string {
  const entry: Omit<JournalEntry, 'firstId' | 'firstAt' | 'count'> = {
    ...{ id: index + 2, at: new Date(index).toISOString(), loop: 'bridge', key: 'shard1', reconcileId: 'a' },
    ...{ kind: 'applied', summary: 'x'.repeat(4_000), hints: [], details: {}, error: null, durationMs: 1, failures: 0 },
  };
  return `${JSON.stringify(entry)}\n`;
}

interface Reader {
  readonly response: http.IncomingMessage;
  events: number;
  lastId: number;
  order: 'rising' | 'broken';
}

/** `late` and `stalled` request all remembered events; `stalled` reads none of them until it is resumed. */
type Kind = 'late' | 'present' | 'stalled';

/** Reads the events and keeps only their count and the last id. */
async function openReader(kind: Kind): Promise<Reader> {
  const path = `/v1/events${kind === 'present' ? '' : '?lastEventId=1'}`;
  const request = http.get({ host: daemon.api.host, port: daemon.api.port, path, agent: false });
  request.on('error', () => {});
  t.teardown(() => void request.destroy());
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const reader: Reader = { response, events: 0, lastId: 0, order: 'rising' };
  const parser = createParser({
    onEvent: ({ id }) => {
      if (Number(id) <= reader.lastId) reader.order = 'broken';
      reader.events += 1;
      reader.lastId = Number(id);
    },
  });
  if (kind === 'stalled') response.pause();
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => parser.feed(chunk));
  response.on('error', () => {});
  return reader;
}

function openReaders(count: number, kind: Kind): Promise<readonly Reader[]> {
  return Promise.all(Array.from({ length: count }, () => openReader(kind)));
}

/** What the daemon has in memory, as the kernel sees it. */
function residentMiB(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1_024;
}

async function streams(): Promise<number> {
  const text = String((await daemon.get('/metrics')).body);
  return Number(/^switchmaster_event_streams (\d+)$/m.exec(text)?.[1]);
}

t.test('half of the readers read nothing: the others miss nothing, memory stays, and they are cut off', async (t) => {
  const before = residentMiB();
  const [late, present] = await Promise.all([
    openReaders(lateReaders, 'late'),
    openReaders(halfOfReaders - lateReaders, 'present'),
  ]);
  await waitFor('all to be connected', streams, { until: (count) => count === halfOfReaders, timeoutMs: 60_000 });
  const stalled = await openReaders(halfOfReaders, 'stalled');
  const [first] = present;
  if (first === undefined) throw new Error('there are readers');
  for (let round = 1; round <= rounds; round += 1) {
    await consul.putKey('load', String(round));
    await waitFor('an event of each template', () => first.events >= round * 5, {
      intervalMs: 2,
      timeoutMs: 20_000,
    });
  }
  const everybody = [...late, ...present];
  await waitFor('all to have the last event', () => everybody.every(({ lastId }) => lastId === first.lastId), {
    timeoutMs: 60_000,
  });
  const grown = residentMiB() - before;
  const sent = late.reduce((sum, { events }) => sum + events, 0);
  t.comment(
    `${sent} remembered events sent to ${lateReaders}, ${first.events} new ones to ${halfOfReaders}; grew by ${Math.round(grown)} MiB`,
  );
  // What the stalled ones did not read would be more than twice as much.
  t.ok(grown < 150, `grew by ${grown} MiB`);
  t.strictSame([...new Set(present.map(({ events, order }) => `${events} ${order}`))], [`${first.events} rising`]);
  t.ok(late.every(({ events, order }) => events >= remembered + first.events && order === 'rising'));
  await waitFor('the stalled ones to be cut off', streams, {
    until: (count) => count === halfOfReaders,
    timeoutMs: 60_000,
  });
  await Promise.all(
    stalled.map(async ({ response }) => {
      const closed = new Promise((resolve) => response.once('close', resolve));
      response.resume();
      await closed;
    }),
  );
  const most = Math.max(...stalled.map(({ events }) => events));
  t.ok(most > 0 && most < remembered, `a stalled reader got ${most} events at most`);
});
