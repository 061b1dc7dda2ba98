import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import type { JournalEntry } from '../../../lib/telemetry/journal.ts';
import { waitFor } from '../../sandbox/condition.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';

/* Two hundred readers of a daemon's event stream, half of which read nothing. */
// A busy machine takes its time.
t.setTimeout(120_000);
const remembered = 3_000;
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
    // Of an earlier life: the kernel takes some megabytes for a reader before it is noticed that he reads nothing.
    journal: { file: sandbox.write('journal.jsonl', Array.from({ length: remembered }, lineOf).join('')) },
  },
});

function lineOf(_: unknown, index: number): string {
  const entry: JournalEntry = {
    ...{ id: index + 2, at: new Date(index).toISOString(), loop: 'bridge', key: 'shard1', reconcileId: 'a' },
    ...{ kind: 'applied', summary: 'x'.repeat(4_000), hints: [], details: {}, error: null, durationMs: 1, failures: 0 },
  };
  return `${JSON.stringify(entry)}\n`;
}

interface Reader {
  readonly socket: net.Socket;
  events: number;
  lastId: number;
  order: 'rising' | 'broken';
}

/** Reads what comes and keeps only what it counts. */
async function openReader(from: 'the beginning' | 'now'): Promise<Reader> {
  const socket = net.connect(daemon.api.port, daemon.api.host);
  const reader: Reader = { socket, events: 0, lastId: 0, order: 'rising' };
  let rest = '';
  socket.on('data', (chunk) => {
    const frames = (rest + chunk.toString('latin1')).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const id = /^id: (\d+)$/m.exec(frame.slice(0, 64))?.[1];
      if (id === undefined) continue;
      if (Number(id) <= reader.lastId) reader.order = 'broken';
      reader.events += 1;
      reader.lastId = Number(id);
    }
  });
  socket.on('error', () => {});
  t.teardown(() => void socket.destroy());
  await once(socket, 'connect');
  const query = from === 'now' ? '' : '?lastEventId=1';
  socket.write(`GET /v1/events${query} HTTP/1.1\r\nhost: x\r\n\r\n`);
  return reader;
}

function openReaders(count: number, from: 'the beginning' | 'now'): Promise<readonly Reader[]> {
  return Promise.all(Array.from({ length: count }, () => openReader(from)));
}

/** What the daemon has in memory, as the kernel sees it. */
function residentMiB(): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1_024;
}

async function streams(): Promise<number> {
  const text = String((await daemon.get('/metrics')).body);
  return Number(/^switchmaster_event_streams (\d+)$/m.exec(text)?.[1]);
}

t.test(
  'half of two hundred readers read nothing: the others miss nothing, memory stays, and they are cut off',
  async (t) => {
    const before = residentMiB();
    const [late, present] = await Promise.all([openReaders(40, 'the beginning'), openReaders(60, 'now')]);
    await waitFor('all to be connected', streams, { until: (count) => count === 100, timeoutMs: 60_000 });
    const stalled = await openReaders(100, 'the beginning');
    for (const { socket } of stalled) socket.pause();
    const [first] = present;
    if (first === undefined) throw new Error('there are readers');
    for (let round = 1; round <= 40; round += 1) {
      await consul.putKey('load', String(round));
      await waitFor('each template to tell of it', () => first.events >= round * 5, {
        intervalMs: 2,
        timeoutMs: 20_000,
      });
    }
    const everybody = [...late, ...present];
    await waitFor('all to have the last event', () => everybody.every(({ lastId }) => lastId === first.lastId), {
      timeoutMs: 60_000,
    });
    const grown = residentMiB() - before;
    const told = late.reduce((sum, { events }) => sum + events, 0);
    t.comment(
      `${told} remembered events told to 40, ${first.events} new ones to 100; grew by ${Math.round(grown)} MiB`,
    );
    // What the stalled ones did not read would be more than a gigabyte.
    t.ok(grown < 150, `grew by ${grown} MiB`);
    t.strictSame([...new Set(present.map(({ events, order }) => `${events} ${order}`))], [`${first.events} rising`]);
    t.ok(late.every(({ events, order }) => events >= remembered + first.events && order === 'rising'));
    await waitFor('the stalled ones to be cut off', streams, { until: (count) => count === 100, timeoutMs: 60_000 });
    await Promise.all(
      stalled.map(async ({ socket }) => {
        const closed = once(socket, 'close');
        socket.resume();
        await closed;
      }),
    );
    const most = Math.max(...stalled.map(({ events }) => events));
    t.ok(most > 0 && most < remembered, `those who did not read were given at most ${most} events`);
  },
);
