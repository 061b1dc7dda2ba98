/** What differs between two texts. The `diff` package compares them; the server sends it as diff.min.js. */

/** Unchanged lines that are shown around a change. */
const contextLines = 3;
/** A comparison that takes longer is stopped, because the page does not react meanwhile. */
const timeoutMs = 200;

/**
 * The lines of a unified diff: each begins with ' ', '-', '+', '@' or '\'. Texts that differ too much to be compared are
 * shown one after the other.
 * @param {string} before
 * @param {string} after
 * @returns {readonly string[]}
 */
export function diffLines(before, after) {
  const options = { context: contextLines, timeout: timeoutMs };
  const patch = globalThis.Diff.structuredPatch('', '', before, after, undefined, undefined, options);
  if (patch === undefined)
    return [...before.split('\n').map((line) => `-${line}`), ...after.split('\n').map((line) => `+${line}`)];
  return patch.hunks.flatMap(({ oldStart, oldLines, newStart, newLines, lines }) => [
    `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`,
    ...lines,
  ]);
}
