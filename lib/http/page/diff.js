/**
 * What differs between two texts, by lines: pure.
 *
 * @typedef {{ kind: 'same' | 'gone' | 'new' | 'gap', text: string }} DiffLine
 */

/** Beyond this the middle is shown as replaced as a whole: the table below grows with the square. */
const maxCells = 4_000_000;
const context = 3;

/**
 * @param {string} before
 * @param {string} after
 * @returns {readonly DiffLine[]} With three lines around each change.
 */
export function diff(before, after) {
  const [old, fresh] = [before.split('\n'), after.split('\n')];
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail += 1;
  const middle = compare(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail));
  const same = (/** @type {string} */ text) => /** @type {DiffLine} */ ({ kind: 'same', text });
  return shorten([...old.slice(0, head).map(same), ...middle, ...old.slice(old.length - tail).map(same)]);
}

/**
 * By the longest common subsequence.
 * @param {readonly string[]} old
 * @param {readonly string[]} fresh
 * @returns {readonly DiffLine[]}
 */
function compare(old, fresh) {
  const width = fresh.length + 1;
  if (old.length * width > maxCells)
    return [...old.map((text) => line('gone', text)), ...fresh.map((text) => line('new', text))];
  const length = new Uint32Array((old.length + 1) * width);
  const at = (/** @type {number} */ i, /** @type {number} */ j) => length[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = fresh.length - 1; j >= 0; j -= 1)
      length[i * width + j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  /** @type {DiffLine[]} */
  const lines = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      lines.push(line('same', old[i] ?? ''));
      i += 1;
      j += 1;
    } else if (i < old.length && (j === fresh.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push(line('gone', old[i] ?? ''));
      i += 1;
    } else {
      lines.push(line('new', fresh[j] ?? ''));
      j += 1;
    }
  }
  return lines;
}

/** @param {readonly DiffLine[]} lines */
function shorten(lines) {
  const near = new Set(
    lines.flatMap(({ kind }, i) =>
      kind === 'same' ? [] : Array.from({ length: 2 * context + 1 }, (_, k) => i - context + k),
    ),
  );
  return lines.flatMap((each, i) => {
    if (near.has(i)) return [each];
    return near.has(i - 1) || i === 0 ? [line('gap', '')] : [];
  });
}

/**
 * @param {DiffLine['kind']} kind
 * @param {string} text
 * @returns {DiffLine}
 */
function line(kind, text) {
  return { kind, text };
}
