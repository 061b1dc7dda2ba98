import { alike, lines, type PairSource } from '../pair.ts';

/* Verbs, layouts of times, expressions and conversions, in combinations that a change of one of them could break. */

function verbs(formats: string, value: string): readonly PairSource[] {
  return formats.split('|').map((format) => lines(`printf "<${format}>" ${value}`));
}

const list = '(split "," "a,bb")';

/** `(parseJSON …)` in both languages. */
function onJson(call: string, text: string): readonly [string, string] {
  const name = call.includes('@') ? call : `${call} @`;
  const written = (json: string) => name.replace('@', `(parseJSON ${json})`);
  return [`{{ ${written(JSON.stringify(text))} }}`, `{{raw (${written(`'${text}'`)})}}`];
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: groups of the expression
const groups = '$é ${é} $01 ${01} $1é ${1}é $0$$ $ ${ ${a-b} $-1';

/** In the branch that the value chooses. */
function chosen(text: string): readonly PairSource[] {
  const json = JSON.stringify(text);
  return [
    [`{{ if parseJSON ${json} }}yes{{ else }}no{{ end }}`, `{{#if (parseJSON '${text}')}}yes{{else}}no{{/if}}`],
    [`{{ with parseJSON ${json} }}yes{{ else }}no{{ end }}`, `{{#with (parseJSON '${text}')}}yes{{else}}no{{/with}}`],
    [`{{ not (parseJSON ${json}) }}`, `{{not (parseJSON '${text}')}}`],
  ];
}

export const formatPairs: readonly PairSource[] = [
  ...verbs('%08.3d|%+08.2d|%.0d|%-08d|% 05d|%x|%#x|%#08x|%#X|%#o|%#b|%08b|%05c|%U|%.6U|%v|%05v|%+v|%.3v', '42'),
  ...verbs('%.0d|%#o|%#x|%08.3x|%.0x|%v', '0'),
  ...verbs('%08.3d|%#x|%x|%+v|% v', '-42'),
  ...verbs('%05s|%-05s|%08.3s|%.0s|%5v|%05v|%.1v|%q|%+q|%#q|%x|% x|%#x|%# X|%.2x|%08X', '"aü"'),
  ...verbs('%5s|%q|%x|%.1s|%v|%5v|%-4v', list),
  ...verbs('%08.3f|%+.1f|% f|%e|%.0e|%E|%g|%.0g|%.3g|%G|%.2v|%08.3v|%05v', '-2.5'),
  ...verbs('%.0f|%.1e|%g|%.10g|%E|%G|%6.2f%%', '1234567.0'),
  ...verbs('%.20f|%.3e|%g', '0.1'),
  ...verbs('%5t|%-6t|%06t|%v|%5v', 'true'),
  alike('printf "%#v" "a"', 'printf'),
  alike('printf "%x" 1.5', 'printf'),
  alike('printf "%#g" 1.5', 'printf'),
  alike('printf "%q" 42', 'printf'),
  onJson('printf "%v|%5v" @ 1', '[1,"a",null,true,2.5,{"b":[]}]'),
  onJson('printf "%s"', '["a","b"]'),
  onJson('printf "%.1f"', '[1.25,2]'),
  onJson('printf "%v"', '{"b":1e-7,"a":-0.5}'),
  // Which values are true.
  ...['{}', '[]', '""', '0', '0.0', 'false', 'null', '{"a":0}', '[0]', '"0"', '-1'].flatMap(chosen),
  onJson('len (and "x" @)', '{}'),
  onJson('or "" @ "last"', '{}'),
  // Addresses.
  ..."!*'()~-_.;/?:@&=+$,#[]{}|^<>`% ü😀".split(/(?=.)/u).map((sign): PairSource => `urlquery "a${sign}"`),
  // Base64 of any form.
  'base64Decode "YR=="',
  'base64Decode "YQ="',
  'base64Decode "="',
  'base64Decode "YWJj="',
  'base64Decode "YW Jj"',
  'base64URLDecode "Pz8-Pn5-"',
  'base64URLDecode "Pz8+"',
  ['{{ base64Decode "YWJj\\nZGVm\\n" }}', '{{base64Decode "YWJj\nZGVm\n"}}'],
  // Groups.
  ...groups.split(' ').map((to): PairSource => `regexReplaceAll "(a)(?P<é>b)" "${to}" "xaby"`),
  // Letters with an iota below, in circles, of Georgian, of Roman numbers.
  'toUpper "ᾳ ᾠ ῃ ⓐ ა ⅷ"',
  'toTitle "ᾳx ᾠx ⓐb აბ ⅷa"',
  // Times.
  ...['__2', '_2006', 'Z07', 'Z07:00:00', 'Z070000', '-07:00:00', '-070000', '002'].map(
    (layout): PairSource => `len (timestamp "${layout}")`,
  ),
  // Lists of other things than a helper takes.
  ...['byTag', 'byPort', 'byKey', 'explode'].map((name) => onJson(name, '[{"a":1}]')),
  onJson('byMeta "a"', '[[1]]'),
  onJson('join ","', '[[1],{"a":1}]'),
  onJson('join ","', '[null]'),
  'byKey (split "," "")',
  onJson('toTOML', '[{"a":1}]'),
  onJson('toTOML', 'null'),
  'slice "abc" ""',
  'slice "abc" true',
  'slice "abc" 0 (parseJSON "null")',
  onJson('index @ 0', '{"a":1}'),
  onJson('index @ true', '{"true":1}'),
  ['{{ range loop "" }}x{{ end }}', '{{#each (loop "")}}x{{/each}}'],
  // Null.
  onJson('toJSON (mergeMap @ (parseJSON "{}"))', '{"a":null}'),
  [
    '{{ toJSON (mergeMap (parseJSON "{}") (parseJSON "{\\"a\\":null}")) }}',
    `{{toJSON (mergeMap (parseJSON "{}") (parseJSON '{"a":null}'))}}`,
  ],
  alike('toJSON (mergeMap (parseJSON "{}") (parseJSON "null"))', 'null'),
  alike('toJSON (explodeMap (parseJSON "null"))', 'null'),
  alike('len (byTag (parseJSON "null"))', 'null'),
  alike('join "," (parseJSON "null")', 'null'),
  // Numbers.
  onJson('toTOML', '{"small":1e-7,"big":1e21,"text":"1e+21"}'),
  onJson('toJSON', '{"small":1e-7,"big":1e21}'),
  onJson('toYAML', '{"half":0.5,"one":1}'),
  alike('parseFloat "-0"', 'numbers'),
  alike('parseFloat "0x1p-2"', 'rare'),
  alike('parseFloat "Inf"', 'infinite'),
  'parseJSON "1e400"',
  alike('index "a"', 'rare'),
  alike('slice "a"', 'rare'),
  alike('index "a" 0', 'rare'),
  alike('urlquery "a" 5', 'rare'),
  alike('regexMatch "(?P<n>a)(?P<n>b)" "ab"', 'rare'),
  alike('split "," "a,b"', 'collections'),
  alike('parseJSON "{}"', 'collections'),
  // YAML.
  ...['a: [1, 2', 'a: b: c', '\\ta: 1', 'a: @b', 'x: *none', '"a'].map(
    (text): PairSource => [
      `{{ len (parseYAML "${text.replace('"', '\\"')}") }}`,
      `{{len (parseYAML '${text.replace('\\t', '\t')}')}}`,
    ],
  ),
  ...'. 1e400 0o7 0b11 -0x1f .5 5. 1e 08 010 190:20:30 = y'
    .split(' ')
    .map((text): PairSource => `printf "%v" (parseYAML "[${text}]")`),
  alike('printf "%v" (parseYAML "[99999999999999999999]")', 'numbers'),
  'printf "%v" (parseYAML "[!!binary aGk=, !!str 5, !foo x, .inf, -.inf, .nan]")',
  ['{{ parseYAML "--- a\\n--- b" }}', '{{parseYAML "--- a\n--- b"}}', 'rare'],
  onJson('toYAML', '"a\\nb"'),
  onJson('toYAML', '"😀 \\u007f \\ufeff"'),
  onJson('toYAML', '{"-":"-","---":"--- a","...":"..."," ":"😀"}'),
  onJson('toYAML', '{"1":1,"?":2,"a10":3,"a9":4,"a":5,"a b":6,"\\u007f":7,"a010":8,"100":9,"20":10}'),
  [...onJson('toYAML', '{"a\\nb":"=","<<":"\\u2028"}'), 'folded'],
];
