import type { PairSource } from '../pair.ts';

const json = (text: string) => `(parseJSON ${JSON.stringify(text)})`;
const ours = (text: string) => `(parseJSON '${text}')`;

/** A call on objects that JSON texts give. */
function merged(name: string, a: string, b: string): readonly [string, string] {
  return [`{{ toJSON (${name} ${json(a)} ${json(b)}) }}`, `{{toJSON (${name} ${ours(a)} ${ours(b)})}}`];
}

function exploded(text: string): readonly [string, string] {
  return [`{{ toJSON (explodeMap ${json(text)}) }}`, `{{toJSON (explodeMap ${ours(text)})}}`];
}

export const collectionPairs: readonly PairSource[] = [
  merged('mergeMap', '{"a":1}', '{"b":2}'),
  merged('mergeMap', '{"a":1}', '{"a":2,"b":3}'),
  merged('mergeMap', '{"a":{"x":1}}', '{"a":{"x":2,"y":3}}'),
  merged('mergeMap', '{"a":""}', '{"a":"x"}'),
  merged('mergeMap', '{"a":0}', '{"a":5}'),
  merged('mergeMap', '{"a":[1]}', '{"a":[2]}'),
  merged('mergeMap', '{}', '{"a":[2]}'),
  merged('mergeMapWithOverride', '{"a":1,"c":4}', '{"a":2,"b":3}'),
  merged('mergeMapWithOverride', '{"a":{"x":1,"z":9}}', '{"a":{"x":2,"y":3}}'),
  merged('mergeMapWithOverride', '{"a":1}', '{"a":0}'),
  merged('mergeMapWithOverride', '{"a":"x"}', '{"a":""}'),
  merged('mergeMapWithOverride', '{"a":[1]}', '{"a":[]}'),
  merged('mergeMapWithOverride', '{"a":1}', '{"a":null}'),
  merged('mergeMap', '{"a":false,"b":null}', '{"a":true,"b":1}'),
  exploded('{"a/b":1,"a/c":2,"d":3}'),
  exploded('{"a":1,"a/c":2}'),
  exploded('{}'),
  exploded('{"a/":1}'),
  [
    '{{ range $k, $v := parseJSON "{\\"b\\":1,\\"a\\":2,\\"10\\":3,\\"9\\":4}" }}{{ $k }}={{ $v }} {{ end }}',
    '{{#each (parseJSON \'{"b":1,"a":2,"10":3,"9":4}\')}}{{@key}}={{this}} {{/each}}',
  ],
  ['{{ range parseJSON "[1,2]" }}{{ . }} {{ end }}', '{{#each (parseJSON "[1,2]")}}{{this}} {{/each}}'],
  ['{{ len (parseJSON "{\\"a\\":1}") }}', '{{len (parseJSON \'{"a":1}\')}}'],
  ['{{ len (parseJSON "[1,2]") }}', '{{len (parseJSON "[1,2]")}}'],
  ['{{ index (parseJSON "[1,2]") 1 }}', '{{index (parseJSON "[1,2]") 1}}'],
  ['{{ index (parseJSON "{\\"a\\":{\\"b\\":5}}") "a" "b" }}', '{{index (parseJSON \'{"a":{"b":5}}\') "a" "b"}}'],
  ['{{ index (parseJSON "[1,2]") 5 }}', '{{index (parseJSON "[1,2]") 5}}'],
  [
    '{{ with parseJSON (key "app/json") }}{{ .half }} {{ .five }} {{ .text }}{{ end }}',
    '{{#with (parseJSON (key "app/json")) as |j|}}{{j.half}} {{j.five}} {{j.text}}{{/with}}',
  ],
  [
    '{{ with parseJSON (key "app/json") }}{{ .a.z }} {{ index .b 2 }}{{ end }}',
    '{{#with (parseJSON (key "app/json")) as |j|}}{{j.a.z}} {{index j.b 2}}{{/with}}',
  ],
  [
    '{{ with parseJSON (key "app/json") }}{{ divide 2 .five }} {{ add 1 .five }}{{ end }}',
    '{{#with (parseJSON (key "app/json")) as |j|}}{{divide 2 j.five}} {{add 1 j.five}}{{/with}}',
  ],
  [
    '{{ range parseJSON (key "app/numbers") }}{{ . }} {{ end }}',
    '{{#each (parseJSON (key "app/numbers"))}}{{this}} {{/each}}',
    'numbers',
  ],
  [
    '{{ range parseJSON (key "app/numbers") }}{{ printf "%.0f" . }} {{ end }}',
    '{{#each (parseJSON (key "app/numbers"))}}{{printf "%.0f" this}} {{/each}}',
  ],
  ['{{ parseJSON "\\"text\\"" }}', '{{parseJSON \'"text"\'}}'],
  ['{{ parseJSON "5" }} {{ parseJSON "true" }}', '{{parseJSON "5"}} {{parseJSON "true"}}'],
  ['{{ parseJSON "{" }}', '{{parseJSON "{"}}'],
  ['{{ parseJSON "[1,]" }}', '{{parseJSON "[1,]"}}'],
  ['{{ len (parseJSON "") }}', '{{len (parseJSON "")}}'],
  [
    '{{ with parseYAML (key "app/yaml") }}{{ .b }} {{ .answer }} {{ .when }} {{ .octal }} {{ .text }} {{ index .a 1 }}{{ end }}',
    '{{#with (parseYAML (key "app/yaml")) as |y|}}{{y.b}} {{y.answer}} {{y.when}} {{y.octal}} {{y.text}} {{index y.a 1}}{{/with}}',
  ],
  [
    '{{ with parseYAML (key "app/yaml") }}{{ divide 4 .b }}{{ end }}',
    '{{#with (parseYAML (key "app/yaml")) as |y|}}{{divide 4 y.b}}{{/with}}',
  ],
  [
    '{{ range $k, $v := parseYAML "b: 1\\na: 2" }}{{ $k }}{{ $v }} {{ end }}',
    '{{#each (parseYAML "b: 1\na: 2")}}{{@key}}{{this}} {{/each}}',
  ],
  ['{{ len (parseYAML "") }}', '{{len (parseYAML "")}}'],
  ['{{ parseYAML "a: [" }}', '{{parseYAML "a: ["}}'],
  [
    '{{ range parseYAML "[yes, no, on, off, ~, 1_000, 0x1f, 0b11, 1.5e3, 12:30:45]" }}{{ printf "%v" . }} {{ end }}',
    '{{#each (parseYAML "[yes, no, on, off, ~, 1_000, 0x1f, 0b11, 1.5e3, 12:30:45]")}}{{printf "%v" this}} {{/each}}',
  ],
];
