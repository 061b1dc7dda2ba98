const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** A word of an inline command: bare parts, "with escapes", or 'with \' only'. It ends at a space or at the end. */
const word = /\s*(?:([^\s"']+)|"((?:\\[\s\S]|[^"\\])*)"(?=\s|$)|'((?:\\'|[^'])*)'(?=\s|$))/y;

/** The words of an inline command, with Redis' quotes (sds.c, sdssplitargs); undefined for unbalanced ones. */
export function splitInline(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let [at, isBare] = [0, false];
  while (line.slice(at).trim() !== '') {
    word.lastIndex = at;
    const found = word.exec(line);
    if (found === null) return undefined;
    const [text, bare, double, single] = found;
    const part = bare ?? (double === undefined ? single?.replaceAll("\\'", "'") : readEscapes(double)) ?? '';
    // A quote may begin within a word: a"b c" is one word.
    if (isBare && !/^\s/.test(text)) words.push(`${words.pop()}${part}`);
    else words.push(part);
    isBare = bare !== undefined;
    at = word.lastIndex;
  }
  return words;
}

function readEscapes(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|([\s\S]))/g, (_whole, hex: string | undefined, letter = '') =>
    hex === undefined ? (escapes[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
