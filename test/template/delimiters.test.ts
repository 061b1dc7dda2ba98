// biome-ignore-all lint/suspicious/noTemplateCurlyInString: delimiters with a dollar sign
import fc from 'fast-check';
import t from 'tap';
import { SwitchmasterError } from '../../lib/errors.ts';
import type { TemplateDelimiters } from '../../lib/model/template-spec.ts';
import { compileTemplate } from '../../lib/template/compile.ts';
import { brace } from '../../lib/template/delimiters.ts';
import { makeWorld, textOf } from './world.ts';

const brackets = { left: '[[', right: ']]' };
const vars = { a: '1', b: '{{2}}', list: ['x', 'y'], 'odd name': 'odd', '}}': 'ends' };

function outcomeOf(
  text: string,
  { delimiters = brackets, partial = '' }: { delimiters?: TemplateDelimiters | 'braces'; partial?: string } = {},
): string {
  const partials = new Map([['p', { file: '_p.hbs', text: partial }]]);
  const given = delimiters === 'braces' ? {} : { delimiters };
  try {
    const template = compileTemplate({ template: { file: 't.hbs', text }, partials, format: 'text', ...given });
    return textOf(template.render(makeWorld({}, { vars, env: { X: 'x' } }))).replace(/^template-failed: /, '');
  } catch (thrown) {
    return SwitchmasterError.from(thrown).message;
  }
}

t.test('tags have the delimiters, and braces are text', (t) => {
  const cases: Record<string, string> = {
    'a [[vars.a]] b': 'a 1 b',
    '{{ $labels.x }} [[vars.a]] {{{ y }}}': '{{ $labels.x }} 1 {{{ y }}}',
    '{[[vars.a]]}': '{1}',
    '{{[[vars.a]]}}': '{{1}}',
    '[[vars.b]]': '{{2}}',
    '[ [x] ]] } }} \\ \\{{x}} \\\\{': '[ [x] ]] } }} \\ \\{{x}} \\\\{',
    'a[[~ vars.a ~]] b': 'a1b',
    'a [[~#if vars.a~]] b [[~else~]] c [[~/if~]] d': 'abd',
    '[[#each vars.list]]\n{[[this]]}\n[[/each]]\n': '{x}\n{y}\n',
    '[[#each vars.list as |one|]][[one]],[[/each]]': 'x,y,',
    'a[[! a comment }} with {{ braces ]]b': 'ab',
    'a[[!-- a ]] }} --]]b': 'ab',
    'a [[~!-- a ]] }} --~]] b': 'ab',
    '[[> p]]': 'of p {{1}}',
    '[[vars.[odd name]]]': 'odd',
    '[[vars.[}}]]]': 'ends',
    '[[toUpper "]] }} {{ a"]]': ']] }} {{ A',
    "[[toUpper '[[ \"b']]": '[[ "B',
    '[[raw "[["]]': '[[',
    '\\[[vars.a]] [[vars.a]]': '[[vars.a]] 1',
    '\\\\[[vars.a]]': '\\1',
    '\\\\\\[[vars.a]]': '\\\\1',
    '\u{e000}{\u{e001}[[vars.a]]\u{e002}': '\u{e000}{\u{e001}1\u{e002}',
    '{{': '{{',
    '': '',
  };
  for (const [text, expected] of Object.entries(cases))
    t.equal(outcomeOf(text, { partial: 'of p {{[[vars.a]]}}' }), expected, text);
  t.end();
});

t.test('what a tag cannot have is an error at its place, and never text', (t) => {
  const cases: Record<string, RegExp> = {
    'é {{\n  {{ [[nothing]]': /^t.hbs:2:6: \{\{nothing\}\}/,
    '[[vars.a': /^t.hbs:1:8: /,
    'a\n[[vars.a }} b ]] c': /^t.hbs:2:10: /,
    '[[{vars.a}]]': /^t.hbs:1:/,
    '[[[vars.a]]]': /^t.hbs:1:/,
    '[[[[raw]]]] a [[[[/raw]]]]': /^t.hbs:1:/,
    '[[#if vars.a]]': /^t.hbs:1:/,
    '[[!-- a ]]': /^t.hbs:1:/,
    '[[!': /^t.hbs:1:/,
    '[[- vars.a -]]': /^t.hbs:1:/,
    '{{[[unknownHelper 1]]': /^t.hbs:1:3: unknown helper/,
    '[[> other]]': /^t.hbs:1:1: unknown partial/,
    '\u0000': /^t.hbs:1:1: a template cannot hold NUL/,
  };
  for (const [text, expected] of Object.entries(cases)) t.match(outcomeOf(text), expected, text);
  t.match(outcomeOf('{{\n[[> p]]', { partial: '{{\n {[[nothing]]' }), /^_p.hbs:2:3: /);
  t.end();
});

t.test('any two characters of punctuation will do, alike on both sides too', (t) => {
  const pairs = [
    '<< >>',
    '<% %>',
    '{% %}',
    '[% %]',
    '<? ?>',
    '@@ @@',
    '%% %%',
    '${ }$',
    '{{ }}',
    '{{ ]]',
    '[[ }}',
    ':: ;;',
  ];
  for (const [left = '', right = ''] of pairs.map((pair) => pair.split(' '))) {
    const delimiters = { left, right };
    t.equal(outcomeOf(`a ${left}vars.a${right} b`, { delimiters }), 'a 1 b', left);
    t.equal(outcomeOf(`${left}#if vars.a${right}c${left}/if${right}`, { delimiters }), 'c', left);
  }
  t.end();
});

t.test('a template means with delimiters what it means with braces', (t) => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{{vars.a}}',
      '{{#if vars.a}}',
      '{{else}}',
      '{{/if}}',
      '{{~vars.b~}}',
      '{{! c }}',
      '{{!-- c --}}',
      '{{> p}}',
    ),
    fc.constantFrom(' ', '\n', '\r\n', '\\', 'text', '"', "'", '(', '~'),
  );
  const runs = Number(process.env.SWITCHMASTER_PROPERTY_RUNS ?? 300);
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const braces = outcomeOf(text, { delimiters: 'braces' });
      const other = text.replaceAll('{{', '<<').replaceAll('}}', '>>');
      const given = outcomeOf(other, { delimiters: { left: '<<', right: '>>' } });
      // The parser's messages quote the text.
      if (given.startsWith('t.hbs')) return braces.startsWith('t.hbs');
      return given.replaceAll('<<', '{{').replaceAll('>>', '}}') === braces;
    }),
    { numRuns: runs },
  );
  t.end();
});

t.test('the time grows with the length, whatever the template', (t) => {
  const hostile = [
    '[',
    '"',
    '[[',
    ']]',
    '[[!-- ',
    '[[!',
    '\\',
    '{',
    '}',
    '[["',
    '[[[a]]]',
    '\\[[',
    "[['",
    '[[ [',
    '[[!--]]',
    '[["\\',
  ];
  for (const part of hostile) {
    const timeOf = (size: number) => {
      const text = part.repeat(size / part.length);
      const before = process.cpuUsage();
      const { text: braced } = brace(text, brackets);
      const { user, system } = process.cpuUsage(before);
      t.equal(braced.length, text.length, part);
      return (user + system) / 1_000;
    };
    const times = [50_000, 200_000].map((size) => Math.min(...[1, 2, 3, 4].map(() => timeOf(size))));
    const [short = 0, long = 0] = times;
    t.ok(long < 10 * short + 20, `${part}: ${short} and ${long} ms`);
  }
  t.end();
});
