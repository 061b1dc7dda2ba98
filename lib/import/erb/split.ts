import { importInvalid } from '../problem.ts';

/** A piece of an ERB template. `prints`: `<%= %>`. */
export type ErbPiece =
  /** `trimmed`: the new line that `-%>` before it removes. */
  | { readonly kind: 'text'; readonly text: string; readonly trimmed: string }
  | {
      readonly kind: 'code' | 'prints' | 'comment';
      readonly text: string;
      readonly line: number;
      readonly source: string;
    };

/** Splits a template with the trim mode `-`, the default of consul-templaterb. Throws `import-invalid`. */
export function splitErb(file: string, source: string): readonly ErbPiece[] {
  const pieces: ErbPiece[] = [];
  let [at, line, trimmed] = [0, 1, ''];
  for (;;) {
    const open = /<%(?!%)/.exec(source.slice(at));
    const text = open === null ? source.slice(at) : source.slice(at, at + open.index);
    const begin = at + text.length;
    line += text.split('\n').length - 1;
    if (open === null) {
      pieces.push({ kind: 'text', text: unescapeText(text), trimmed });
      return pieces;
    }
    const close = /-?%>/.exec(source.slice(begin));
    if (close === null) throw importInvalid({ file, line }, 'a tag does not end: there is no %>');
    const end = begin + close.index + close[0].length;
    const inner = source.slice(begin + 2, begin + close.index);
    const kept = inner.startsWith('-') ? text.replace(/[ \t]+$/, '') : text;
    pieces.push({ kind: 'text', text: unescapeText(kept), trimmed });
    const kind = inner.startsWith('=') ? 'prints' : inner.startsWith('#') ? 'comment' : 'code';
    pieces.push({ kind, text: inner.replace(/^[=#-]/, '').trim(), line, source: source.slice(begin, end) });
    line += source.slice(begin, end).split('\n').length - 1;
    trimmed = close[0].startsWith('-') ? (/^\r?\n/.exec(source.slice(end))?.[0] ?? '') : '';
    line += trimmed === '' ? 0 : 1;
    at = end + trimmed.length;
  }
}

function unescapeText(text: string): string {
  return text.replaceAll('<%%', '<%').replaceAll('%%>', '%>');
}
