import t from 'tap';
import { GoSyntaxError } from '../../lib/import/go/syntax.ts';
import { importGoTemplate } from '../../lib/import/handlebars/template.ts';

/** What it is translated to, and the reasons of what is left to do. */
function imported(source: string) {
  const { text, partials, remarks } = importGoTemplate(source);
  return { text, partials: Object.fromEntries(partials), left: remarks.map(({ line, why }) => `${line}: ${why}`) };
}

const translated: Readonly<Record<string, string>> = {
  '{{ key "a/b" }}': '{{key "a/b"}}',
  '{{ key "a" | toUpper | printf "%s-%s" "x" }}': '{{printf "%s-%s" "x" (toUpper (key "a"))}}',
  '{{ range service "web" }}{{ .Address }}:{{ .Port }};{{ else }}none{{ end }}':
    '{{#each (service "web")}}{{address}}:{{port}};{{else}}none{{/each}}',
  '{{ range $i, $s := service "web" }}{{ if $i }},{{ end }}{{ $s.Node }}{{ end }}':
    '{{#each (service "web") as |s i|}}{{#if i}},{{/if}}{{s.node}}{{/each}}',
  // The name of a helper is no name for a field or an item.
  '{{ range $key, $node := ls "a" | byKey }}{{ $key }}{{ end }}':
    '{{#each (byKey (ls "a")) as |node_ key_|}}{{key_}}{{/each}}',
  '{{ range services }}{{ range service .Name }}{{ .Node }}{{ end }}{{ end }}':
    '{{#each (services)}}{{#each (service name)}}{{this.node}}{{/each}}{{/each}}',
  '{{ range $name := datacenters }}{{ range nodes }}{{ .Node }}{{ end }}{{ end }}':
    '{{#each (datacenters) as |name|}}{{#each (nodes)}}{{this.node}}{{/each}}{{/each}}',
  '{{ with node "a" }}{{ .Node.Address }}{{ range .Services }}{{ .Service }}{{ end }}{{ end }}':
    '{{#with (node "a")}}{{address}}{{#each this.services}}{{name}}{{/each}}{{/with}}',
  '{{ with $x := key "a" }}{{ $x }}{{ . }}{{ end }}': '{{#with (key "a") as |x|}}{{x}}{{this}}{{/with}}',
  '{{ if eq 1 1 }}a{{ else if keyExists "b" }}b{{ else }}c{{ end }}':
    '{{#if (eq 1 1)}}a{{else if (keyExists "b")}}b{{else}}c{{/if}}',
  '{{ $x := key "a" }}{{ $x }}{{ $x = "b" }}{{ $x }}':
    '{{scratch.Set "$x" (key "a")}}{{scratch.Get "$x"}}{{scratch.Set "$x" "b"}}{{scratch.Get "$x"}}',
  '{{ $x := 5 }}{{ add 1 $x }}': '{{add 1 5}}',
  // An inner variable has a name of its own.
  '{{ $x := key "a" }}{{ if true }}{{ $x := key "b" }}{{ $x }}{{ end }}{{ $x }}':
    '{{scratch.Set "$x" (key "a")}}{{#if true}}{{scratch.Set "$x 2" (key "b")}}{{scratch.Get "$x 2"}}{{/if}}{{scratch.Get "$x"}}',
  '{{ if $x := key "a" }}{{ $x }}{{ end }}':
    '{{scratch.Set "$x" (key "a")}}{{#if (scratch.Get "$x")}}{{scratch.Get "$x"}}{{/if}}',
  // A map of Go gives an empty text for a key that it does not have; Handlebars nothing.
  '{{ range service "a" }}{{ .ServiceMeta.v }}{{ if eq .ServiceMeta.v "1" }}x{{ end }}{{ end }}':
    '{{#each (service "a")}}{{#if meta.v}}{{meta.v}}{{/if}}{{#if (eq (default meta.v "") "1")}}x{{/if}}{{/each}}',
  // Go's `and` computes an argument only if those before it are true.
  '{{ with service "a" }}{{ if and . (eq (index . 0).Port 1) }}x{{ end }}{{ end }}':
    '{{#with (service "a")}}{{#if this}}{{#if (eq (lookup (index this 0) "port") 1)}}x{{/if}}{{/if}}{{/with}}',
  '{{ range service "a" }}{{ .Tags }}{{ if .Tags.Contains "b" }}x{{ end }}{{ end }}':
    '{{#each (service "a")}}{{printf "%v" tags}}{{#if (in tags "b")}}x{{/if}}{{/each}}',
  '{{ scratch.Set "a" 1 }}{{ scratch.Get "a" }}': '{{scratch.Set "a" 1}}{{scratch.Get "a"}}',
  '{{ file "/a" }}': '{{raw (file "/a")}}',
  '{{/* a -- b */}}x': '{{!-- a - - b --}}x',
  '{{ "{{" }}x{{ `a"b` }}': '{{raw "{{"}}x{{raw \'a"b\'}}',
  '{{ printf "%s\\\\" "x" }}': '{{printf (printf "%s%c" "%s" 92) "x"}}',
  '{{ 0x1F }} {{ add 1_000 010 }} {{ add 1.5 2.0 }}': '31 {{add 1000 8}} {{add 1.5 2.0}}',
  // Braces and backslashes of the text beside tags.
  '{ {{- key "a" -}} }': '{ {{~key "a"~}} }',
  'a\\{{ key "a" }}': 'a\\\\{{key "a"}}',
  // A tag alone on its line.
  'a\n{{ range loop 2 }}\nb\n{{ end }}\nc\n': 'a\n{{#each (loop 2)}}\n\nb\n{{/each}}\n\nc\n',
  'a\n{{ range loop 2 -}}\nb\n{{ end -}}\nc\n': 'a\n{{#each (loop 2)}}\nb\n{{/each}}\nc\n',
  'a\n{{- range loop 2 }}\n  b\n{{- end }}\nc': 'a\n{{#each (loop 2)}}\n  b\n{{/each}}\nc',
  'a\n{{- if true }}\nb\n{{- else if false }}\nc\n{{- else }}\nd\n{{- end }}\ne':
    'a\n{{#if true}}\nb\n{{else if false}}\nc\n{{else}}\nd\n{{/if}}\ne',
  '{{- $x := key "a" -}}\n{{ $x }}\n': '{{scratch.Set "$x" (key "a")~}}\n{{scratch.Get "$x"}}\n',
  'a\n  {{ range loop 2 }}\n  b{{ end }}': 'a\n  {{!}}{{#each (loop 2)}}\n  b{{/each}}',
};

t.test('templates of consul-template become templates of the same meaning', async (t) => {
  for (const [source, text] of Object.entries(translated)) {
    t.strictSame(imported(source), { text, partials: {}, left: [] }, source);
  }
});

t.test('a template that another one includes becomes a partial', async (t) => {
  const source = '{{ define "a server" }}{{ .Address }}{{ range .Tags }}{{ . }}{{ $.Port }}{{ end }}{{ end }}';
  t.strictSame(imported(`${source}{{ range service "web" }}{{ template "a server" . }}{{ end }}`), {
    text: '{{#each (service "web")}}{{> a-server dot=this}}{{/each}}',
    partials: {
      'a-server':
        '{{scratch.Set "$ of a-server" dot}}{{dot.address}}{{#each dot.tags}}{{this}}{{lookup (scratch.Get "$ of a-server") "port"}}{{/each}}',
    },
    left: [],
  });
  const block = imported('{{ block "b" key "x" }}{{ . }}{{ end }}{{ executeTemplate "b" "y" }}');
  t.strictSame([block.text, block.partials], ['{{> b dot=(key "x")}}{{> b dot="y"}}', { b: '{{dot}}' }]);
});

const marked: Readonly<Record<string, RegExp>> = {
  '{{ secret "a" }}': /^1: there is no helper secret$/,
  'a\n{{ range service "a" }}\n{{ break }}{{ end }}': /^3: a loop has no break$/,
  '{{ range service "a" }}{{ .Namespace }}{{ end }}': /has no field Namespace/,
  '{{ toJSON (service "a") }}': /other names of fields/,
  '{{ template "none" }}': /no template in this file/,
  '{{ .Foo }}': /there is no value/,
  '{{ with scratch.Get "a" }}{{ .Foo }}{{ end }}': /unknown kind has no field Foo/,
  '{{ if or (keyExists "a") (eq (key "b") "c") }}x{{ end }}': /one of them may fail/,
  '{{ range $i, $x := loop 3 }}{{ $x = 1 }}{{ end }}': /the loop changes a variable/,
  '{{ sprig_upper "a" }}': /no helper sprig_upper/,
  '{{ $a.b }}': /is not set here/,
};

t.test('what has no equivalent is marked at its place, and check refuses it', async (t) => {
  for (const [source, why] of Object.entries(marked)) {
    const { text, left } = imported(source);
    t.match(left[0], why, source);
    t.match(text, /\{\{!-- To do by hand, line \d+: .*\{\{byHand \d+\}\}/s, source);
  }
});

const wrong: Readonly<Record<string, RegExp>> = {
  'a\n{{ key "a" ': /^2: an action does not end/,
  '{{ key "a }}': /^1: an action does not end|a text does not end/,
  '{{ if true }}': /^1: \{\{if\}\} has no \{\{end\}\}/,
  'a\n\n{{ end }}': /^3: unexpected \{\{end\}\}/,
  '{{ else }}': /^1: unexpected \{\{else\}\}/,
  '{{ }}': /^1: a value is missing/,
  '{{ key "a" | }}': /^1: a value is missing/,
  '{{ (key "a" }}': /^1: a parenthesis does not end/,
  '{{/* a }}': /^1: a comment does not end/,
  '{{ "\\q" }}': /^1: \\q is no escape/,
  '{{ define x }}{{ end }}': /^1: a name in quotes/,
  '{{ a # b }}': /^1: unexpected "#"/,
};

t.test('a template that Go refuses is an error with its line', async (t) => {
  for (const [source, message] of Object.entries({ ...wrong, ['{{ if true }}'.repeat(200)]: /more than 100/ })) {
    let said = 'nothing';
    try {
      importGoTemplate(source);
    } catch (thrown) {
      said = thrown instanceof GoSyntaxError ? `${thrown.line}: ${thrown.message}` : String(thrown);
    }
    t.match(said, message, source.slice(0, 60));
  }
});
