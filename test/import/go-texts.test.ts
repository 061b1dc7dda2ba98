import fc from 'fast-check';
import Handlebars from 'handlebars';
import t from 'tap';
import { moveNewLines } from '../../lib/import/go/lines.ts';
import { parseGoTemplate } from '../../lib/import/go/parse.ts';
import { type GoNode, GoSyntaxError } from '../../lib/import/go/syntax.ts';
import { type OutputPiece, writeTemplate } from '../../lib/import/handlebars/write.ts';
import { parameters } from '../property/parameters.ts';

t.test('any text is read, or refused with its line', async () => {
  const part = fc.constantFrom(
    '{{',
    '}}',
    '{{-',
    ' -}}',
    '"',
    '`',
    '(',
    ')',
    '|',
    '$x',
    ':=',
    '.A',
    ' ',
    '\n',
    'if',
    'end',
    'else',
    'range',
    'a',
    '/*',
    '*/',
    "'",
    '\\',
    '5',
    '{',
    '}',
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
      try {
        parseGoTemplate(parts.join(''));
      } catch (thrown) {
        if (!(thrown instanceof GoSyntaxError) || thrown.line < 1) throw thrown;
      }
    }),
    parameters({ runs: 500 }),
  );
});

/** Texts with everything that Handlebars changes around tags. */
const text = fc
  .array(fc.constantFrom('\n', ' ', '\t', 'a', '{', '}', '\\', '\r\n', '{{', '~'), { maxLength: 5 })
  .map((parts) => parts.join(''));
const pieces = fc
  .array(fc.tuple(text, fc.constantFrom('{{x}}', '{{#if x}}', '{{else}}', '{{!-- c --}}', '{{> p}}')), { maxLength: 6 })
  .map((all) => {
    const closes: string[] = [];
    const result = all.flatMap(([text, code]): OutputPiece[] => {
      const kind = code === '{{x}}' ? 'print' : 'tag';
      if (code === '{{else}}' && closes.at(-1) !== 'if') return [{ kind: 'text', text }];
      if (code === '{{else}}') closes.splice(-1, 1, 'else');
      if (code === '{{#if x}}') closes.push('if');
      return [
        { kind: 'text', text },
        { kind, code },
      ];
    });
    return [
      ...result,
      ...closes.flatMap((): OutputPiece[] => [
        { kind: 'text', text: '\n' },
        { kind: 'tag', code: '{{/if}}' },
      ]),
    ];
  });

/** The text that Handlebars prints around the tags, with `x` for what it prints. */
function read(source: string): string {
  const visit = (nodes: readonly hbs.AST.Statement[]): string =>
    nodes
      .map((node) => {
        if (node.type === 'ContentStatement') return (node as hbs.AST.ContentStatement).value;
        if (node.type === 'PartialStatement')
          return (node as unknown as { indent: string }).indent === '' ? 'P' : 'indented';
        if (node.type === 'CommentStatement') return '';
        if (node.type === 'MustacheStatement') {
          const [param] = (node as hbs.AST.MustacheStatement).params;
          return param === undefined ? 'X' : (param as hbs.AST.StringLiteral).value;
        }
        const { program, inverse } = node as hbs.AST.BlockStatement;
        return `<${visit(program.body)}${inverse === undefined ? '' : `|${visit(inverse.body)}`}>`;
      })
      .join('');
  return visit(Handlebars.parse(source).body);
}

function expected(all: readonly OutputPiece[]): string {
  const shown: Readonly<Record<string, string>> = {
    '{{x}}': 'X',
    '{{#if x}}': '<',
    '{{else}}': '|',
    '{{/if}}': '>',
    '{{> p}}': 'P',
  };
  return all.map((piece) => (piece.kind === 'text' ? piece.text : (shown[piece.code] ?? ''))).join('');
}

t.test('a new line that moves from one side of a block to the other prints the same', async () => {
  const part = fc.constantFrom(
    'a',
    '\n',
    '{{- if x }}',
    '{{ if x }}',
    '{{- else }}',
    '{{- else if y }}',
    '{{- end }}',
    '{{ end -}}',
    '{{ p }}',
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 16 }),
      fc.array(fc.nat({ max: 2 }), { minLength: 16, maxLength: 16 }),
      (parts, choices) => {
        let nodes: readonly GoNode[];
        try {
          nodes = parseGoTemplate(parts.join(''));
        } catch {
          return;
        }
        const [before, after] = [nodes, moveNewLines(nodes)].map((one) => print(one, choices, { at: 0 }));
        if (before !== after) throw new Error(JSON.stringify({ source: parts.join(''), before, after }));
      },
    ),
    parameters({ runs: 2_000 }),
  );
});

/** What nodes print if each block takes the branch of the next choice. */
function print(nodes: readonly GoNode[], choices: readonly number[], next: { at: number }): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      if (node.kind !== 'if') return 'P';
      const choice = choices[next.at++ % choices.length];
      if (choice === 0) return print(node.otherwise ?? [], choices, next);
      return print(node.body, choices, { ...next }).repeat(choice ?? 1);
    })
    .join('');
}

t.test('Handlebars reads exactly the text around the tags', async () => {
  fc.assert(
    fc.property(pieces, (all) => {
      const source = writeTemplate(all);
      if (read(source) !== expected(all))
        throw new Error(JSON.stringify({ source, read: read(source), expected: expected(all) }));
    }),
    parameters({ runs: 1_000 }),
  );
});
