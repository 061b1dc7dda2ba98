import t from 'tap';
import { parse as parseYaml } from 'yaml';
import { renderText, textOf } from './world.ts';

const expressions: readonly (readonly [string, string])[] = [
  ['add 1 (multiply 2 3)', '7'],
  ['subtract "2" 5', '3'],
  ['divide 2 7', '3'],
  ['divide 2 7.0', '3.5'],
  ['modulo 4 7', '3'],
  ['minimum 2 (maximum 3 1)', '2'],
  ['toUpper (trimSuffix "-suf" (trimPrefix "pre-" "pre-x-suf"))', 'X'],
  ['replaceAll "." "-" "a.b.c"', 'a-b-c'],
  ['regexReplaceAll "[0-9]+" "#" "a12b3"', 'a#b#'],
  ['regexMatch "^a+$" "aaa"', 'true'],
  ['regexMatch "(?i)^AB" "abc"', 'true'],
  ['regexMatch "^[[:alpha:]]+\\z" "abc"', 'true'],
  ['regexMatch "^.$" "é"', 'true'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a group of the expression
  ['regexReplaceAll "(?P<n>[a-z])([0-9])" "${2}-${n}$$$1x" "a1"', '1-a$'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a group of the expression
  ['regexReplaceAll "(a)(b)?" "<${1}${2}>" "aab"', '<a><ab>'],
  ['regexReplaceAll "x*" "-" "axb"', '-a-b-'],
  ['regexReplaceAll "é|😀" "$9" "aé😀b"', 'ab'],
  ['join "|" (split "," "c,a")', 'c|a'],
  ['length (split "," "")', '0'],
  ['base64Decode (base64Encode "häh")', 'häh'],
  ['sha256 ""', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['parseInt "42"', '42'],
  ['in (split "," "a,b") "b"', 'true'],
  ['or vars.none "x"', 'x'],
  ['and 1 "y"', 'y'],
  ['not vars.none', 'true'],
  ['lookup (parseJSON "{\\"a\\":5}") "a"', '5'],
  ['envName "my-shard.1"', 'MY_SHARD_1'],
];
for (const [expression, expected] of expressions) {
  t.test(`(${expression}) is ${expected}`, async (t) => {
    const text = `{{${expression.replace('"{\\"a\\":5}"', '\'{"a":5}\'')}}}`;
    t.equal(textOf(renderText({ text })), expected);
  });
}

for (const [expression, message] of [
  ['divide 0 1', /the result is not a number/],
  ['add "x" 1', /argument 1 must be a number, not "x"/],
  ['parseInt "4x"', /"4x" is not a number/],
  ['regexMatch "(" "a"', /is not a regular expression/],
  ['base64Decode "@@"', /is not base64/],
  ['parseJSON "{"', /is not JSON/],
  ['join "," "a"', /argument 2 must be a list, not "a"/],
  ['join (split "," "a") ","', /the list comes last, as in consul-template: \(join "," list\)/],
  ['byMeta (split "," "a") "x"', /the list comes last/],
  ['toUpper vars.x', /argument 1 must be a text, not missing/],
] as const) {
  t.test(`(${expression}) is an error with its place`, async (t) => {
    t.match(textOf(renderText({ text: `\n {{${expression}}}` })), message);
    t.match(textOf(renderText({ text: `\n {{${expression}}}` })), /^template-failed: t\.hbs:2:2: /);
  });
}

t.test('toJSON and toYAML write whole values, which stay values', async (t) => {
  const vars = { x: { a: ['b: c', 'd\n- e', 'true'], n: 1 } };
  t.same(
    JSON.parse(
      textOf(renderText({ format: 'json', text: '{"v": {{toJSON vars.x}}, "t": "{{toJSON vars.x}}"}', vars })),
    ),
    {
      v: vars.x,
      t: JSON.stringify(vars.x),
    },
  );
  for (const helper of ['toJSON', 'toYAML']) {
    t.same(parseYaml(textOf(renderText({ format: 'yaml', text: `v: {{${helper} vars.x}}\nw: 1\n`, vars }))), {
      v: vars.x,
      w: 1,
    });
  }
});
