/** Which rows of a long list are in view. Pure. */

/**
 * Several items side by side, or one that is as wide as the list.
 * @template T
 * @typedef {{ items: readonly T[], isWide: boolean }} Row
 */

/**
 * A row that is built, or the place of rows that are not. `index`: of the first row.
 * @template T
 * @typedef {{ kind: 'row', row: Row<T>, index: number } | { kind: 'gap', px: number, index: number }} Piece
 */

/**
 * Rows as a grid places the items.
 * @template T
 * @param {readonly T[]} items
 * @param {{ columns: number, isWide: (item: T) => boolean }} layout
 * @returns {readonly Row<T>[]}
 */
export function toRows(items, { columns, isWide }) {
  /** @type {{ items: T[], isWide: boolean }[]} */
  const rows = [];
  for (const item of items) {
    const last = rows.at(-1);
    if (isWide(item)) rows.push({ items: [item], isWide: true });
    else if (last === undefined || last.isWide || last.items.length === columns)
      rows.push({ items: [item], isWide: false });
    else last.items.push(item);
  }
  return rows;
}

/**
 * The rows between two heights and the rows to keep, in order, with gaps for all others.
 * @template T
 * @param {readonly Row<T>[]} rows
 * @param {{ fromPx: number, toPx: number, heightOf: (row: Row<T>) => number, isKept: (row: Row<T>) => boolean }} view
 *   `heightOf`: with the space below the row.
 * @returns {readonly Piece<T>[]}
 */
export function piecesIn(rows, { fromPx, toPx, heightOf, isKept }) {
  /** @type {Piece<T>[]} */
  const pieces = [];
  let topPx = 0;
  for (const [index, row] of rows.entries()) {
    const px = heightOf(row);
    const last = pieces.at(-1);
    if ((topPx + px > fromPx && topPx < toPx) || isKept(row)) pieces.push({ kind: 'row', row, index });
    else if (last?.kind === 'gap') last.px += px;
    else pieces.push({ kind: 'gap', px, index });
    topPx += px;
  }
  return pieces;
}

/**
 * Where a row begins.
 * @template T
 * @param {readonly Row<T>[]} rows
 * @param {{ isWanted: (row: Row<T>) => boolean, heightOf: (row: Row<T>) => number }} options
 * @returns {number | undefined}
 */
export function topOf(rows, { isWanted, heightOf }) {
  let topPx = 0;
  for (const row of rows) {
    if (isWanted(row)) return topPx;
    topPx += heightOf(row);
  }
  return undefined;
}
