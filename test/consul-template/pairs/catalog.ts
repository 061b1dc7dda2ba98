import type { PairSource } from '../pair.ts';

export const catalogPairs: readonly PairSource[] = [
  [
    '{{ range services }}{{ .Name }}={{ join "," .Tags }};{{ end }}',
    '{{#each services}}{{name}}={{join "," tags}};{{/each}}',
  ],
  ['{{ range services "@dc1" }}{{ .Name }} {{ end }}', '{{#each (services "@dc1")}}{{name}} {{/each}}'],
  ['{{ range services "dc1" }}{{ .Name }} {{ end }}', '{{#each (services "dc1")}}{{name}} {{/each}}'],
  [
    '{{ range nodes }}{{ .Node }} {{ .Address }} {{ .Datacenter }} {{ .ID }};{{ end }}',
    '{{#each nodes}}{{this.node}} {{address}} {{datacenter}} {{id}};{{/each}}',
  ],
  ['{{ range nodes }}{{ .Meta.rack }} {{ end }}', '{{#each nodes}}{{#if meta.rack}}{{meta.rack}}{{/if}} {{/each}}'],
  ['{{ range nodes "@dc1" }}{{ .Node }} {{ end }}', '{{#each (nodes "@dc1")}}{{this.node}} {{/each}}'],
  ['{{ range nodes "~_agent" }}{{ .Node }} {{ end }}', '{{#each (nodes "~_agent")}}{{this.node}} {{/each}}'],
  ['{{ range nodes "@dc1~node-a" }}{{ .Node }} {{ end }}', '{{#each (nodes "@dc1~node-a")}}{{this.node}} {{/each}}'],
  [
    '{{ range nodes }}{{ range $k, $v := .TaggedAddresses }}{{ $k }}={{ $v }} {{ end }}{{ end }}',
    '{{#each nodes}}{{#each taggedAddresses}}{{@key}}={{this}} {{/each}}{{/each}}',
  ],
  [
    '{{ with node "node-a" }}{{ .Node.Node }} {{ .Node.Address }}{{ end }}',
    '{{#with (node "node-a") as |n|}}{{n.node}} {{n.address}}{{/with}}',
  ],
  [
    '{{ with node "node-a@dc1" }}{{ .Node.Meta.rack }}{{ end }}',
    '{{#with (node "node-a@dc1") as |n|}}{{n.meta.rack}}{{/with}}',
  ],
  [
    '{{ with node "node-a" }}{{ range .Services }}{{ .Service }}/{{ .ID }}:{{ .Port }} {{ end }}{{ end }}',
    '{{#with (node "node-a") as |n|}}{{#each n.services}}{{name}}/{{id}}:{{port}} {{/each}}{{/with}}',
  ],
  [
    '{{ with node "node-b" }}{{ range .Services }}{{ .ID }}={{ join "," .Tags }} {{ end }}{{ end }}',
    '{{#with (node "node-b") as |n|}}{{#each n.services}}{{id}}={{join "," tags}} {{/each}}{{/with}}',
  ],
  [
    '{{ with node "node-b" }}{{ range .Services }}{{ .Meta.version }} {{ end }}{{ end }}',
    '{{#with (node "node-b") as |n|}}{{#each n.services}}{{#if meta.version}}{{meta.version}}{{/if}} {{/each}}{{/with}}',
  ],
  ['{{ with node }}{{ .Node.Node }}{{ end }}', '{{#with (node) as |n|}}{{n.node}}{{/with}}'],
  [
    '{{ with node }}{{ range .Services }}{{ .Service }} {{ end }}{{ end }}',
    '{{#with (node) as |n|}}{{#each n.services}}{{name}} {{/each}}{{/with}}',
  ],
  [
    '{{ with node "none" }}{{ range .Services }}x{{ end }}{{ end }}',
    '{{#with (node "none") as |n|}}{{#each n.services}}x{{/each}}{{/with}}',
  ],
  [
    '{{ with node "none" }}{{ len .Services }}{{ else }}none{{ end }}',
    '{{#with (node "none") as |n|}}{{len n.services}}{{else}}none{{/with}}',
  ],
  [
    '{{ with node "none" }}{{ with .Node }}{{ .Node }}{{ else }}none{{ end }}{{ end }}',
    '{{#with (node "none") as |n|}}{{#if n.node}}{{n.node}}{{else}}none{{/if}}{{/with}}',
  ],
  ['{{ with node "none" }}{{ .Node.Node }}{{ end }}', '{{#with (node "none") as |n|}}{{n.node}}{{/with}}'],
  ['{{ if node "none" }}a{{ else }}b{{ end }}', '{{#if (node "none")}}a{{else}}b{{/if}}'],
  ['{{ with node "../nodes" }}a{{ end }}b', '{{#with (node "../nodes") as |n|}}a{{/with}}b', 'unasked'],
  ['{{ range service "web/../web" }}x{{ end }}', '{{#each (service "web/../web")}}x{{/each}}', 'unasked'],
  ['{{ with node "@dc1" }}{{ .Node.Node }}{{ end }}', '{{#with (node "@dc1") as |n|}}{{n.node}}{{/with}}'],
  ['{{ range datacenters }}{{ . }} {{ end }}', '{{#each datacenters}}{{this}} {{/each}}'],
  ['{{ range datacenters true }}{{ . }} {{ end }}', '{{#each (datacenters true)}}{{this}} {{/each}}'],
  ['{{ len (peerings) }}', '{{len (peerings)}}'],
  ['{{ range peerings }}{{ .Name }}{{ end }}', '{{#each peerings}}{{name}}{{/each}}'],
  ['{{ range caRoots }}{{ .Name }} {{ .Active }}{{ end }}', '{{#each caRoots}}{{name}} {{active}}{{/each}}'],
  ['{{ range caRoots }}{{ len .RootCertPEM }}{{ end }}', '{{#each caRoots}}{{len rootCert}}{{/each}}'],
  ['{{ with caLeaf "web" }}{{ .Service }}{{ end }}', '{{#with (caLeaf "web") as |leaf|}}{{leaf.service}}{{/with}}'],
  [
    '{{ with caLeaf "web" }}{{ slice .CertPEM 0 27 }}{{ end }}',
    '{{#with (caLeaf "web") as |leaf|}}{{slice leaf.cert 0 27}}{{/with}}',
  ],
  [
    '{{ with caLeaf "web" }}{{ slice .PrivateKeyPEM 0 30 }}{{ end }}',
    '{{#with (caLeaf "web") as |leaf|}}{{slice leaf.privateKey 0 30}}{{/with}}',
  ],
];
