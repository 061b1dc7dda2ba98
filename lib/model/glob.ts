/** Whether a name in the config is a pattern: see {@link matchesAny}. */
export function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

/** True if any pattern matches the whole name. `*` matches any number of characters, `?` exactly one. */
export function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => matches(pattern, name));
}

/** As {@link matchesAny}, for many names: thousands of patterns that are plain names cost no more than one. */
export function makeMatcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !isPattern(pattern)));
  const others = patterns.filter(isPattern);
  return (name) => names.has(name) || matchesAny(others, name);
}

/** In time in proportion to the lengths, unlike a regular expression with several `.*`: names come from Consul and Sentinels. */
function matches(pattern: string, name: string): boolean {
  let [at, from] = [0, 0];
  /** After the last `*`, and the first character of the name that it does not stand for. */
  let retry: { readonly at: number; from: number } | undefined;
  while (from < name.length) {
    if (pattern[at] === '*') {
      at += 1;
      retry = { at, from };
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[from])) {
      at += 1;
      from += 1;
    } else if (retry !== undefined) {
      retry.from += 1;
      at = retry.at;
      from = retry.from;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
