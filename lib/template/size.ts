/*
 * Limits that are checked before a template is parsed: the time to parse and to compile grows with the square of the
 * nesting.
 */

const maxCharacters = 1024 * 1024;
const maxTags = 5_000;
const maxDepth = 64;

/** Why the template is too large, with the place; undefined if it is not. */
export function describeExcess({ file, text }: { readonly file: string; readonly text: string }): string | undefined {
  if (text.length > maxCharacters) return `${file}:1:1: a template may have ${maxCharacters} characters.`;
  let tags = 0;
  /** For each open block, how many blocks it nests: `{{else if}}` is a further one. */
  const open: number[] = [];
  let depth = 0;
  for (const { tag, index } of tagsIn(text)) {
    tags += 1;
    const [, sign = '', word = ''] =
      /^\{\{+~?\s*([#^/]?)>?\s*(else\s+\S|[^\s~}]*)/.exec(tag.slice(0, longestHead)) ?? [];
    const opens = sign === '#' || (sign === '^' && word !== '');
    const chains = sign === '' && /^else\s/.test(word);
    if (opens) open.push(1);
    else if (chains) open.push((open.pop() ?? 0) + 1);
    if (opens || chains) depth += 1;
    else if (sign === '/') depth -= open.pop() ?? 0;
    const problem =
      tags > maxTags
        ? `a template may have ${maxTags} tags. Divide it, or loop over a list`
        : Math.max(depth, parenthesesIn(tag)) > maxDepth
          ? `a template may nest ${maxDepth} blocks or calls`
          : undefined;
    if (problem !== undefined) return `${file}:${text.slice(0, index).split('\n').length}:1: ${problem}.`;
  }
  return undefined;
}

/** Of a tag, the part that says what it is. */
const longestHead = 1_000;

/** Every tag but comments. Reads each character once: a pattern would read to the end for each `{{` without an end. */
function* tagsIn(text: string): Generator<{ readonly tag: string; readonly index: number }> {
  let index = text.indexOf('{{');
  while (index >= 0) {
    const [, sign = ''] = /^\{\{~?(!?-{0,2})/.exec(text.slice(index, index + 6)) ?? [];
    const end = sign === '!--' ? '--}}' : '}}';
    const at = text.indexOf(end, index);
    // The parser reports that the tag has no end.
    if (at < 0) return;
    if (!sign.startsWith('!')) yield { tag: text.slice(index, at + end.length), index };
    index = text.indexOf('{{', at + end.length);
  }
}

/** The deepest nesting of calls within a tag. */
function parenthesesIn(tag: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [sign] of tag.replace(/"[^"]*"|'[^']*'/g, '').matchAll(/[()]/g)) {
    depth += sign === '(' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
