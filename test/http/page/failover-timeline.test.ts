import t from 'tap';
import type { JournalEntry } from '../../../lib/telemetry/journal.ts';

const script = new URL('../../../lib/http/page/failover-timeline.js', import.meta.url).href;
const { listFailovers } = (await import(script)) as {
  listFailovers(
    entries: readonly JournalEntry[],
    options: { filter: string; limit: number },
  ): { failovers: readonly { around: readonly { name: string; ms: number }[] }[] };
};

const startMs = Date.parse('2026-01-01T00:00:10.000Z');

t.test('the signs before a failover are the first that any Sentinel gave', async (t) => {
  const change = entryOf(startMs, {
    kind: 'applied',
    details: { cause: 'failover' },
    hints: [{ source: 's1', event: '+switch-master', agoMs: 0 }],
  });
  const seen = entryOf(startMs - 100, {
    hints: [
      { source: 's1', event: '+sdown', agoMs: 200 },
      { source: 's1', event: '+odown', agoMs: 150 },
      { source: 's2', event: '+sdown', agoMs: 50 },
    ],
  });
  const { failovers } = listFailovers([change, seen], { filter: '', limit: 1 });
  t.match(failovers[0]?.around, [
    { name: 'first Sentinel sees it down', ms: -300 },
    { name: 'a quorum agrees', ms: -250 },
  ]);
});

function entryOf(atMs: number, entry: Partial<JournalEntry>): JournalEntry {
  const at = new Date(atMs).toISOString();
  const once = { id: 1, firstId: 1, at, firstAt: at, count: 1, loop: 'bridge', key: 'shard1', reconcileId: 'r1' };
  const rest = { kind: 'held', summary: '', hints: [], details: {}, error: null, durationMs: 0, failures: 0 } as const;
  return { ...once, ...rest, ...entry };
}
