import { alike, type PairSource } from '../pair.ts';

/** Ids and addresses of instances. */
function instances(call: string): readonly [string, string] {
  return [
    `{{ range ${call} }}{{ .ID }} {{ .Address }}:{{ .Port }} {{ .Status }};{{ end }}`,
    `{{#each (${call})}}{{id}} {{address}}:{{port}} {{status}};{{/each}}`,
  ];
}

function groups(call: string, ours = call): readonly [string, string] {
  return [
    `{{ range $name, $all := ${call} }}[{{ $name }}]{{ range $all }}{{ .ID }} {{ end }}{{ end }}`,
    `{{#each (${ours}) as |all name|}}[{{name}}]{{#each all}}{{id}} {{/each}}{{/each}}`,
  ];
}

export const servicePairs: readonly PairSource[] = [
  instances('service "web"'),
  instances('service "web|passing"'),
  instances('service "web|warning"'),
  instances('service "web|critical"'),
  instances('service "web|maintenance"'),
  instances('service "web|any"'),
  instances('service "web|passing,warning"'),
  instances('service "web" "any"'),
  instances('service "web" "passing,warning"'),
  instances('service "web" "passing" "critical"'),
  instances('service "web|odd"'),
  instances('service "web" "odd"'),
  instances('service "PROD.web"'),
  instances('service "prod.web"'),
  instances('service "Prod.web|any"'),
  instances('service "alpha.web"'),
  instances('service "v2.web"'),
  instances('service "none.web"'),
  instances('service "web@dc1"'),
  instances('service "prod.web@dc1|any"'),
  instances('service "go.micro.db"'),
  instances('service "db"'),
  instances('service "primary.db"'),
  instances('service "cache"'),
  instances('service "none"'),
  instances('service "web~_agent"'),
  instances('service "db~_agent|any"'),
  instances('service "web~node-a"'),
  instances('service "web@dc1~_agent"'),
  [...instances('service ""'), 'empty'],
  instances('service "web?ns=x&y"'),
  instances('service "web-mesh-proxy"'),
  instances('connect "web"'),
  instances('connect "v2.web"'),
  instances('connect "web|any"'),
  instances('connect "none"'),
  ['{{ range service "web" }}{{ join "," .Tags }};{{ end }}', '{{#each (service "web")}}{{join "," tags}};{{/each}}'],
  ['{{ range service "web" }}{{ .Tags }};{{ end }}', '{{#each (service "web")}}{{printf "%v" tags}};{{/each}}'],
  ['{{ range service "web" }}{{ index .Tags 0 }} {{ end }}', '{{#each (service "web")}}{{index tags 0}} {{/each}}'],
  [
    '{{ range service "web" }}{{ .Node }} {{ .NodeAddress }} {{ .NodeID }};{{ end }}',
    '{{#each (service "web")}}{{this.node}} {{nodeAddress}} {{nodeId}};{{/each}}',
  ],
  ['{{ range service "web" }}{{ .NodeMeta.rack }} {{ end }}', '{{#each (service "web")}}{{nodeMeta.rack}} {{/each}}'],
  [
    '{{ range service "web" }}{{ .Name }} {{ .ServiceMeta.version }} {{ end }}',
    '{{#each (service "web")}}{{name}} {{meta.version}} {{/each}}',
  ],
  [
    '{{ range service "web" }}{{ .Weights.Passing }}/{{ .Weights.Warning }} {{ end }}',
    '{{#each (service "web")}}{{weights.passing}}/{{weights.warning}} {{/each}}',
  ],
  [
    '{{ range service "web" }}{{ range $k, $v := .ServiceTaggedAddresses }}{{ $k }}={{ $v.Address }}:{{ $v.Port }} {{ end }}{{ end }}',
    '{{#each (service "web")}}{{#each taggedAddresses}}{{@key}}={{address}}:{{port}} {{/each}}{{/each}}',
  ],
  [
    '{{ range service "web" }}{{ range $k, $v := .NodeTaggedAddresses }}{{ $k }}={{ $v }} {{ end }}{{ end }}',
    '{{#each (service "web")}}{{#each nodeTaggedAddresses}}{{@key}}={{this}} {{/each}}{{/each}}',
  ],
  [
    '{{ range service "web|any" }}{{ range .Checks }}{{ .CheckID }} {{ .Name }} {{ .Status }} {{ .Output }};{{ end }}{{ end }}',
    '{{#each (service "web|any")}}{{#each checks}}{{id}} {{name}} {{status}} {{output}};{{/each}}{{/each}}',
  ],
  ['{{ len (service "web") }}', '{{len (service "web")}}'],
  [
    '{{ range service "web" }}{{ if .Tags | contains "prod" }}{{ .ID }}{{ end }}{{ end }}',
    '{{#each (service "web")}}{{#if (contains "prod" tags)}}{{id}}{{/if}}{{/each}}',
  ],
  [
    '{{ range service "web" }}{{ if in .Tags "prod" }}{{ .ID }}{{ end }}{{ end }}',
    '{{#each (service "web")}}{{#if (in tags "prod")}}{{id}}{{/if}}{{/each}}',
  ],
  [
    '{{ range service "web" }}{{ if containsAny (parseJSON "[\\"v2\\",\\"9\\"]") .Tags }}{{ .ID }} {{ end }}{{ end }}',
    '{{#each (service "web")}}{{#if (containsAny (parseJSON \'["v2","9"]\') tags)}}{{id}} {{/if}}{{/each}}',
  ],
  [
    '{{ with service "web" }}{{ with index . 0 }}{{ .ID }}{{ end }}{{ end }}',
    '{{#with (service "web") as |all|}}{{#with (index all 0) as |one|}}{{one.id}}{{/with}}{{/with}}',
  ],
  [
    '{{ with service "web" }}{{ (index . 9).ID }}{{ end }}',
    '{{#with (service "web") as |all|}}{{#with (index all 9) as |one|}}{{one.id}}{{/with}}{{/with}}',
  ],
  groups('byTag (service "web")'),
  groups('byTag (service "none")'),
  groups('service "web|any" | byTag', 'byTag (service "web|any")'),
  groups('byPort (service "web|any")'),
  groups('byPort (service "none")'),
  groups('byMeta "version" (service "web|any")'),
  groups('byMeta "version|int" (service "web|any")'),
  groups('byMeta "colour" (service "web|any")'),
  groups('byMeta "colour|int" (service "web|any")'),
  groups('byMeta "version,colour" (service "web|any")'),
  groups('byMeta "version|int,colour" (service "web|any")'),
  groups('byMeta "none" (service "web|any")'),
  groups('service "web|any" | byMeta "version"', 'byMeta "version" (service "web|any")'),
  groups('byTag services'),
  [
    '{{ range $t, $all := byTag services }}{{ $t }}:{{ range $all }}{{ .Name }} {{ end }}{{ end }}',
    '{{#each (byTag services)}}{{@key}}:{{#each this}}{{name}} {{/each}}{{/each}}',
  ],
  alike('toJSON (service "db")', 'fields'),
  [
    '{{ range services }}{{ range service .Name }}{{ .ID }} {{ end }}{{ end }}',
    '{{#each services}}{{#each (service name)}}{{id}} {{/each}}{{/each}}',
  ],
  [
    '{{ scratch.Set "n" 0 }}{{ range service "web|any" }}{{ scratch.Set "n" (add 1 (scratch.Get "n")) }}{{ end }}{{ scratch.Get "n" }}',
    '{{scratch.Set "n" 0}}{{#each (service "web|any")}}{{scratch.Set "n" (add 1 (scratch.Get "n"))}}{{/each}}{{scratch.Get "n"}}',
  ],
];
