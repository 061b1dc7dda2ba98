/** Whether Redis' glob matches a text: `*`, `?`, `[a-c]`, `[^a]` and `\` (util.c, stringmatchlen). Takes linear space and at most |pattern| × |text| steps. */
export function matchesGlob(pattern: string, text: string): boolean {
  const tokens = tokenize(pattern);
  let [at, star, resume] = [0, -1, 0];
  let i = 0;
  while (i < text.length) {
    const token = tokens[at];
    if (token === 'any') [star, resume, at] = [at, i, at + 1];
    else if (token?.(text.charAt(i)) === true) [i, at] = [i + 1, at + 1];
    else if (star >= 0) [resume, i, at] = [resume + 1, resume + 1, star + 1];
    else return false;
  }
  return tokens.slice(at).every((token) => token === 'any');
}

type Token = 'any' | ((character: string) => boolean);

function tokenize(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i += 1) {
    const character = pattern.charAt(i);
    if (character === '*') tokens.push('any');
    else if (character === '?') tokens.push(() => true);
    else if (character === '[') {
      const end = pattern.indexOf(']', i + 1);
      const set = pattern.slice(i + 1, end === -1 ? undefined : end);
      tokens.push(setOf(set));
      i = end === -1 ? pattern.length : end;
    } else {
      if (character === '\\' && i + 1 < pattern.length) i += 1;
      const literal = pattern.charAt(i);
      tokens.push((other) => other === literal);
    }
  }
  return tokens;
}

function setOf(set: string): (character: string) => boolean {
  const isNegated = set.startsWith('^');
  const members = isNegated ? set.slice(1) : set;
  const ranges: (readonly [string, string])[] = [];
  for (let i = 0; i < members.length; i += 1) {
    const from = members.charAt(i);
    const isRange = members.charAt(i + 1) === '-' && i + 2 < members.length;
    ranges.push([from, isRange ? members.charAt(i + 2) : from]);
    if (isRange) i += 2;
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== isNegated;
}
