const short: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

/** A text in quotes as Go's `%q` writes it. With `+`, only ASCII; with `#`, backquotes where they can hold the text. */
export function quoteGo(text: string, flags: string): string {
  if (flags.includes('#') && !/[`\p{Cc}\ufeff]/u.test(text.replaceAll('\t', ''))) return `\`${text}\``;
  const printable = flags.includes('+') ? /^[ -~]$/ : /^[ \p{L}\p{M}\p{N}\p{P}\p{S}]$/u;
  const letters = Array.from(
    text,
    (letter) => short[letter] ?? (printable.test(letter) ? letter : escapeLetter(letter)),
  );
  return `"${letters.join('')}"`;
}

function escapeLetter(letter: string): string {
  const code = letter.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
