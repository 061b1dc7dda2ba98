import { alike, lines, type PairSource } from '../pair.ts';

/** A conversion of an object that a JSON text gives, in several lines. */
function converted(name: string, text: string): readonly [string, string] {
  return [`{{ ${name} (parseJSON ${JSON.stringify(text)}) }}`, `{{raw (${name} (parseJSON '${text}'))}}`];
}

const nested = '{"z":1,"a":{"c":[1,"x"],"b":{"d":true}},"m":"text"}';

export const conversionPairs: readonly PairSource[] = [
  'toJSON "a"',
  'toJSON (key "app/html")',
  'toJSON (key "app/text")',
  'toJSON (key "app/pem")',
  'toJSON 5',
  'toJSON 1.5',
  'toJSON true',
  'toJSON (split "," "b,a")',
  'toJSON (split "," "")',
  'toJSON (parseJSON (key "app/json"))',
  'toJSON (parseJSON (key "app/numbers"))',
  alike('toJSON (parseYAML (key "app/yaml"))', 'lenient'),
  'toJSON (parseInt (key "app/long"))',
  lines('toJSONPretty (parseJSON (key "app/json"))'),
  lines('toJSONPretty (split "," "a,b")'),
  lines('toJSONPretty (split "," "")'),
  'toUnescapedJSON (key "app/html")',
  'toUnescapedJSON (parseJSON (key "app/json"))',
  lines('toUnescapedJSONPretty (parseJSON (key "app/json"))'),
  converted('toJSON', '{"b":1,"a":2,"10":3,"9":4,"Z":5}'),
  converted('toJSON', '{"e":{},"l":[]}'),
  converted('toJSONPretty', '{"e":{},"l":[],"n":null}'),
  converted('toJSON', '{"big":1e21,"small":0.0000001,"k":1000000}'),
  converted('toYAML', nested),
  converted('toYAML', '{"b":1,"a":2,"10":3,"9":4,"Z":5}'),
  converted('toYAML', '["a",["b","c"],{"d":1,"e":2}]'),
  converted('toYAML', '{"e":{},"l":[],"n":null}'),
  converted('toYAML', '{"yes":"yes","no":"no","t":"true","n":"null","num":"12","f":"1.10","o":"0777"}'),
  lines('toYAML (parseJSON (key "app/quotes"))'),
  lines('toJSON (parseJSON (key "app/quotes"))'),
  lines('toTOML (parseJSON (key "app/quotes"))'),
  converted('toYAML', '{"space":" x","star":"*a","amp":"&a","bang":"!a","pct":"%a","at":"@a","tick":"`a"}'),
  converted('toYAML', '{"lines":"a\\nb\\n","one":"a\\nb","tab":"a\\tb"}'),
  converted('toYAML', '{"date":"2024-01-02","time":"12:30:45","tilde":"~","inf":".inf","hex":"0x1f"}'),
  [
    ...converted(
      'toYAML',
      '{"uni":"Grüße","long":"word word word word word word word word word word word word word word word word word word word word word word"}',
    ),
    'folded',
  ],
  lines('toYAML (split "," "b,a")'),
  lines('toYAML (parseJSON (key "app/json"))'),
  'toYAML "a"',
  'toYAML 5',
  'toYAML true',
  converted('toTOML', nested),
  converted('toTOML', '{"b":1.5,"a":"x","list":["a","b"],"on":true}'),
  converted('toTOML', '{"top":"1","t":{"k":"v","s":{"x":"y"}},"u":{"k":"w"}}'),
  converted('toTOML', '{"list":[{"a":"1"},{"a":"2"}]}'),
  converted('toTOML', '{"quote":"say \\"x\\"","back":"a\\\\b","lines":"a\\nb","odd key":"x"}'),
  converted('toTOML', '{"mixed":[1,"a",{"b":2}],"deep":{"er":{"est":1,"list":[{"x":{"y":1}}]}},"10":1,"9":2}'),
  converted('toTOML', '{}'),
  'toTOML "a"',
  lines('indent 2 (toYAML (parseJSON (key "app/json")))'),
];
