import { readFileSync } from 'node:fs';
import t from 'tap';
import { type CrashEndKind, crashEnds, judgeAgainAfterMs } from '../../lib/model/crash-end.ts';

/** Every end: how the journal has it, whether the health shows it, and whether the crash is judged again. */
const table: Readonly<Record<CrashEndKind, string>> = {
  ordered: 'applied, none, never',
  'ordered-elsewhere': 'fenced, kept, later',
  'others-act': 'fenced, kept, later',
  'others-may-act': 'held, shown, later',
  contradicted: 'held, shown, later',
  maintenance: 'held, shown, later',
  'too-soon': 'held, shown, later',
  'no-replica': 'held, shown, later',
  'no-majority': 'held, shown, later',
  consul: 'held, shown, later',
  'right-missing': 'held, shown, later',
  refused: 'held, shown, later',
  unanswered: 'held, shown, later',
  failed: 'held, shown, later',
  unclear: 'held, shown, later',
  back: 'held, none, never',
  stopped: 'held, none, never',
};

t.test('each end of a proven crash', async (t) => {
  const found = Object.entries(crashEnds).map(([kind, { outcome, problem, again }]) => [
    kind,
    `${outcome}, ${problem}, ${again}`,
  ]);
  t.strictSame(Object.fromEntries(found), table);
});

t.test('a crash without an order is judged again after growing pauses', async (t) => {
  const pauses = (kind: CrashEndKind, forMs?: number) =>
    [0, 1, 2, 3, 50].map((attempt) => judgeAgainAfterMs({ kind, attempt, forMs }));
  t.strictSame(pauses('right-missing'), [2_000, 4_000, 8_000, 15_000, 15_000]);
  t.strictSame(pauses('too-soon', 9_000), [9_000, 9_000, 9_000, 15_000, 15_000], 'not before it can be ordered');
  t.strictSame(pauses('ordered'), [undefined, undefined, undefined, undefined, undefined]);
});

t.test(
  'a crash that something contradicted while others waited is judged again soon, but not again and again',
  async (t) => {
    const pauses = (kind: CrashEndKind) =>
      [0, 1, 2, 3].map((attempt) => judgeAgainAfterMs({ kind, attempt, forMs: undefined, isHurried: true }));
    t.strictSame(pauses('contradicted'), [250, 250, 8_000, 15_000]);
    t.strictSame(pauses('right-missing'), [2_000, 4_000, 8_000, 15_000], 'a right does not come back meanwhile');
    t.strictSame(pauses('ordered'), [undefined, undefined, undefined, undefined]);
  },
);

t.test('the docs explain each end', async (t) => {
  const page = readFileSync(new URL('../../docs/crash.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| [^|]+ \| [^|]+ \|$/gm)].map(([, kind]) => kind);
  t.strictSame(rows.toSorted(), Object.keys(crashEnds).toSorted());
});
