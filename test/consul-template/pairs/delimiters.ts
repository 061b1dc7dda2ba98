import type { TemplateDelimiters } from '../../../lib/model/template-spec.ts';
import { type Pair, toPair } from '../pair.ts';

/** Templates with these delimiters, in both languages. */
function delimited(delimiters: TemplateDelimiters, sources: readonly (readonly [string, string])[]): readonly Pair[] {
  return sources.map((source) => ({ ...toPair(source, 'text'), delimiters }));
}

const alert = '{{ $labels.x }} @ {{{ y }}}';

export const delimiterPairs: readonly Pair[] = [
  ...delimited({ left: '[[', right: ']]' }, [
    [alert.replace('@', '[[ toUpper "a" ]]'), alert.replace('@', '[[toUpper "a"]]')],
    ['{[[ toUpper "b" ]]}', '{[[toUpper "b"]]}'],
    ['{{[[ toUpper "b" ]]}}', '{{[[toUpper "b"]]}}'],
    ['a [[- toUpper "b" -]] c', 'a [[~toUpper "b"~]] c'],
    ['[[ if eq 1 1 ]]{yes}[[ else ]]{no}[[ end ]]', '[[#if (eq 1 1)]]{yes}[[else]]{no}[[/if]]'],
    ['[[ range split "," "a,b" ]]{[[ . ]]}[[ end ]]', '[[#each (split "," "a,b")]]{[[this]]}[[/each]]'],
    ['[[/* }} */]]{{ a', '[[! }} ]]{{ a'],
    ['[[ toUpper "]] }} {{ a" ]]', '[[toUpper "]] }} {{ a"]]'],
    ['[ [x] ] ]] }} \\ \\{{ b', '[ [x] ] ]] }} \\ \\{{ b'],
    ['[[ toUpper "a"', '[[toUpper "a"'],
    ['[[ toUpper "a" }}', '[[toUpper "a" }}'],
  ]),
  ...delimited({ left: '<%', right: '%>' }, [
    ['<% toUpper "a" %> {{ b }} <b>', '<%toUpper "a"%> {{ b }} <b>'],
    ['<%% toUpper "a" %>', '<%% toUpper "a" %>'],
  ]),
  ...delimited({ left: '@@', right: '@@' }, [['a@@ toUpper "b" @@@c', 'a@@toUpper "b"@@@c']]),
];
