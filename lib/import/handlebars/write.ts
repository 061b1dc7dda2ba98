/** A piece of a template in Handlebars. */
export type OutputPiece =
  /** `trimmed`: white space that consul-template removes from the beginning. */
  | { readonly kind: 'text'; readonly text: string; readonly trimmed?: string }
  /** A tag that prints: Handlebars leaves the white space around it. */
  | { readonly kind: 'print'; readonly code: string }
  /** A block, an else, a comment or a partial: Handlebars removes a line that has nothing else. */
  | { readonly kind: 'tag'; readonly code: string };

/**
 * Handlebars removes the line of a tag that stands alone on it; Go does not. So that the bytes stay the same, such a tag
 * gets one more new line, which Handlebars removes, or, after an indentation, an empty comment before it. Go's trim markers
 * are applied already. Where one removed a new line, that comes back if Handlebars removes it too, for readers.
 */
export function writeTemplate(pieces: readonly OutputPiece[]): string {
  const all = joinTexts(joinTexts(pieces).flatMap(splitBraces));
  let output = '';
  /** The source between this piece and the tag before it. */
  let left: string | undefined;
  for (const [i, piece] of all.entries()) {
    const [before, after] = [all[i - 1], all[i + 1]];
    if (piece.kind === 'text') {
      const text = besideTags(piece.text, { before, after });
      output += text;
      left = `${left ?? ''}${text}`;
      continue;
    }
    const code = withStrips(piece.code, { before, after });
    // A text that was trimmed to nothing.
    const next = after?.kind === 'text' && after.text === '' ? all[i + 2] : after;
    const ends = { isFirst: tagsBefore(all, i) === 0, left, next, isLast: tagsAfter(all, i) === 0 };
    const line = piece.kind === 'tag' ? lineOf(ends) : 'shared';
    const written = writeTag(
      { code, line, next, isIndented: left !== undefined && /[ \t]$/.test(left) },
      trimmedAfter(after),
    );
    output += written.text;
    left = written.left;
  }
  return output;
}

/** The white space with a new line that a trim marker removed after a tag. */
function trimmedAfter(after: OutputPiece | undefined): string | undefined {
  return after?.kind === 'text' && after.trimmed?.includes('\n') === true && !after.text.startsWith('}')
    ? after.trimmed
    : undefined;
}

/** The source of a tag, and the source after it that Handlebars removes. */
function writeTag(
  tag: {
    readonly code: string;
    readonly line: Line;
    readonly next: OutputPiece | undefined;
    readonly isIndented: boolean;
  },
  trimmed: string | undefined,
): { readonly text: string; readonly left: string | undefined } {
  const { code, line, next, isIndented } = tag;
  if (line === 'own' && isIndented) return { text: `{{!}}${code}`, left: undefined };
  const isRemoved =
    !isIndented &&
    (line === 'own' ? next !== undefined || trimmed !== undefined : line === 'begun' && trimmed !== undefined);
  if (isRemoved) return { text: `${code}\n`, left: '\n' };
  // Handlebars takes the tag for one that stands alone, and removes the indentation before it.
  if (trimmed === undefined || (line !== 'shared' && isIndented)) return { text: code, left: undefined };
  return { text: `${code.replace(/\}\}$/, '~}}')}\n`, left: '\n' };
}

/** `begun`: the tag begins a line on which something follows. */
type Line = 'own' | 'begun' | 'shared';

/** As in Handlebars' lib/handlebars/compiler/whitespace-control.js. */
function lineOf(ends: {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly left: string | undefined;
  readonly next: OutputPiece | undefined;
}): Line {
  const { left, next } = ends;
  const begins =
    left === undefined || left === '' ? ends.isFirst : (ends.isFirst ? /(?:^|\r?\n)\s*?$/ : /\r?\n\s*?$/).test(left);
  if (!begins) return 'shared';
  if (next === undefined) return 'own';
  if (next.kind !== 'text') return 'begun';
  return (ends.isLast ? /^\s*?(?:\r?\n|$)/ : /^\s*?\r?\n/).test(next.text) ? 'own' : 'begun';
}

function tagsBefore(all: readonly OutputPiece[], at: number): number {
  return all.slice(Math.max(0, at - 2), at).filter(({ kind }) => kind !== 'text').length;
}

function tagsAfter(all: readonly OutputPiece[], at: number): number {
  return all.slice(at + 1, at + 3).filter(({ kind }) => kind !== 'text').length;
}

/** Two braces of the text itself. */
function splitBraces(piece: OutputPiece): readonly OutputPiece[] {
  if (piece.kind !== 'text' || !piece.text.includes('{{')) return [piece];
  const [first = '', ...others] = piece.text.split('{{');
  const rest = others.flatMap((text): OutputPiece[] => [
    { kind: 'print', code: '{{raw "{{"}}' },
    { kind: 'text', text },
  ]);
  return [{ ...piece, text: first }, ...rest];
}

/** Texts side by side become one, as Handlebars reads them. */
function joinTexts(pieces: readonly OutputPiece[]): readonly OutputPiece[] {
  const joined: OutputPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.kind !== 'text') joined.push(piece);
    else if (last?.kind === 'text') joined.splice(-1, 1, { ...last, text: last.text + piece.text });
    else if (piece.text !== '' || piece.trimmed !== undefined) joined.push(piece);
  }
  return joined;
}

interface Beside {
  readonly before: OutputPiece | undefined;
  readonly after: OutputPiece | undefined;
}

/** A brace beside a tag would be read as a part of it. A space parts them, which `~` in the tag removes. */
function withStrips(code: string, { before, after }: Beside): string {
  const left = before?.kind === 'text' && before.text.endsWith('{') ? code.replace(/^\{\{/, '{{~') : code;
  return after?.kind === 'text' && after.text.startsWith('}') ? left.replace(/\}\}$/, '~}}') : left;
}

/** Before a tag, Handlebars takes a backslash for an escape. */
function besideTags(text: string, { before, after }: Beside): string {
  const begin = before !== undefined && text.startsWith('}') ? ' ' : '';
  if (after === undefined) return `${begin}${text}`;
  if (text.endsWith('{')) return `${begin}${text} `;
  return `${begin}${text}${text.endsWith('\\') ? '\\' : ''}`;
}
