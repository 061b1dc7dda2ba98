import t from 'tap';

/* Which rows of a long list are built. */
interface Rows {
  toRows<T>(
    items: readonly T[],
    options: { columns: number; isWide: (item: T) => boolean },
  ): readonly { items: readonly T[]; isWide: boolean }[];
  piecesIn(rows: readonly unknown[], view: object): readonly { kind: string; px?: number; row?: { items: string[] } }[];
  topOf(rows: readonly unknown[], options: object): number | undefined;
}
const module: string = '../../../lib/http/page/list-rows.js';
const { toRows, piecesIn, topOf } = (await import(module)) as Rows;

const isWide = (item: string) => item === item.toUpperCase();

t.test('items stand side by side, and an open one has a row of its own', async (t) => {
  const rows = toRows([...'abcDefgh'], { columns: 2, isWide });
  t.strictSame(
    rows.map(({ items }) => items.join('')),
    ['ab', 'c', 'D', 'ef', 'gh'],
  );
});

t.test('rows out of view are gaps of the same height; a row that is kept stays', async (t) => {
  const rows = toRows([...'abcDefghij'], { columns: 2, isWide });
  const heightOf = (row: { isWide: boolean }) => (row.isWide ? 100 : 10);
  const cases = [
    [0, 15, '', 'ab c 130'],
    [15, 25, '', '10 c D 30'],
    [120, 135, '', '120 ef gh 10'],
    [120, 135, 'a', 'ab 110 ef gh 10'],
    [500, 600, 'i', '140 ij'],
  ] as const;
  for (const [fromPx, toPx, kept, expected] of cases) {
    const isKept = ({ items }: { items: string[] }) => items.includes(kept);
    const pieces = piecesIn(rows, { fromPx, toPx, heightOf, isKept });
    const text = pieces.map(({ px, row }) => (row === undefined ? px : row.items.join(''))).join(' ');
    t.equal(text, expected, `${fromPx} to ${toPx}`);
  }
  t.equal(topOf(rows, { isWanted: ({ items }: { items: string[] }) => items.includes('f'), heightOf }), 120);
  t.equal(topOf(rows, { isWanted: () => false, heightOf }), undefined);
});
