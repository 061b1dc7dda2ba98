import { alike, lines, type PairSource } from '../pair.ts';

export const machinePairs: readonly PairSource[] = [
  'env "SM_NAME"',
  'env "SM_EMPTY"',
  'env "SM_NONE"',
  'mustEnv "SM_NAME"',
  'mustEnv "SM_EMPTY"',
  'mustEnv "SM_NONE"',
  'envOrDefault "SM_NAME" "x"',
  'envOrDefault "SM_NONE" "x"',
  'envOrDefault "SM_EMPTY" "x"',
  'add 1 (parseInt (env "SM_NUMBER"))',
  'toUpper (env "SM_NAME")',
  alike('file "%FILE%"', 'several-lines'),
  lines('file "%FILE%"'),
  ['{{ replaceAll "\\n" "-" (file "%FILE%") }}', '{{replaceAll "\n" "-" (file "%FILE%")}}'],
  'len (timestamp)',
  'len (timestamp "unix")',
  'timestamp "2006"',
  'timestamp "fixed"',
  'len (timestamp "2006-01-02T15:04:05Z07:00")',
  'timestamp "Jan 2006 MST"',
  'secret "x"',
  'nomadServices',
  ['{{ scratch.Key "a" }}', '{{scratch.Key "a"}}'],
  [
    '{{ scratch.Set "a" "x" }}{{ scratch.Key "a" }} {{ scratch.Get "a" }}',
    '{{scratch.Set "a" "x"}}{{scratch.Key "a"}} {{scratch.Get "a"}}',
  ],
  [
    '{{ scratch.Set "a" "x" }}{{ scratch.SetX "a" "y" }}{{ scratch.Get "a" }}',
    '{{scratch.Set "a" "x"}}{{scratch.SetX "a" "y"}}{{scratch.Get "a"}}',
  ],
  ['{{ scratch.SetX "a" "y" }}{{ scratch.Get "a" }}', '{{scratch.SetX "a" "y"}}{{scratch.Get "a"}}'],
  [
    '{{ scratch.MapSet "m" "b" 2 }}{{ scratch.MapSet "m" "a" 1 }}{{ range scratch.MapValues "m" }}{{ . }} {{ end }}',
    '{{scratch.MapSet "m" "b" 2}}{{scratch.MapSet "m" "a" 1}}{{#each (scratch.MapValues "m")}}{{this}} {{/each}}',
  ],
  [
    '{{ scratch.MapSet "m" "a" 1 }}{{ scratch.MapSetX "m" "a" 5 }}{{ scratch.MapSetX "m" "b" 6 }}{{ range scratch.MapValues "m" }}{{ . }} {{ end }}',
    '{{scratch.MapSet "m" "a" 1}}{{scratch.MapSetX "m" "a" 5}}{{scratch.MapSetX "m" "b" 6}}{{#each (scratch.MapValues "m")}}{{this}} {{/each}}',
  ],
  ['{{ scratch.Set "m" 1 }}{{ scratch.MapSet "m" "a" 1 }}', '{{scratch.Set "m" 1}}{{scratch.MapSet "m" "a" 1}}'],
  [
    '{{ scratch.MapSet "m" "a" 1 }}{{ range $k, $v := scratch.Get "m" }}{{ $k }}{{ $v }}{{ end }}',
    '{{scratch.MapSet "m" "a" 1}}{{#each (scratch.Get "m")}}{{@key}}{{this}}{{/each}}',
  ],
];
