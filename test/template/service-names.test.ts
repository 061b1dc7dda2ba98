import t from 'tap';
import { queryId } from '../../lib/model/query.ts';
import { makeInstance, renderText, textOf } from './world.ts';

const ports = (query: string) => `{{#each (service ${query})}}{{port}} {{/each}}`;

/** A catalog that holds one instance of each of these services; the port is its position. */
function know(services: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  const entries = Object.entries(services).map(([name, tags], i) => {
    return [`service(${name})`, [makeInstance({ id: `${name}-1`, name, port: i + 1, tags })]] as const;
  });
  return { services: new Map(Object.entries(services)), ...Object.fromEntries(entries) };
}

t.test('a service with dots in its name is found, unless instances have its first part as a tag', async (t) => {
  const known = { ...know({ 'go.micro.api': [], 'my.app': [], 'v1.2.web': [], web: ['v1.2'] }) };
  const more = { ...known, 'service(api)': [], 'service(app)': [], 'service(gone)': [] };
  t.equal(textOf(renderText({ text: ports('"go.micro.api"'), known: more })), '1 ');
  t.equal(textOf(renderText({ text: ports('"go.micro.api|any"'), known: more })), '1 ');
  t.equal(textOf(renderText({ text: ports('"my.app"'), known: more })), '2 ');
  t.equal(textOf(renderText({ text: ports('"v1.2.web"'), known: more })), '4 ', 'the tag comes first');
  t.equal(textOf(renderText({ text: ports('"v1.2.web" literal=true'), known: more })), '3 ');
});

t.test('a tag without instances costs no further watch, while the service has others', async (t) => {
  const known = know({ web: ['green'] });
  const result = renderText({ text: ports('"blue.web"'), known });
  t.equal(textOf(result), '');
  t.same(result.dependencies.map(queryId), ['service(web)']);
  const empty = renderText({ text: ports('"blue.gone"'), known: { ...known, 'service(gone)': [] } });
  t.equal(textOf(empty), 'pending service(blue.gone)');
});

t.test('a name that the token may not read stands for no service', async (t) => {
  const known = { 'service(gone)': [] };
  t.equal(textOf(renderText({ text: ports('"blue.gone"'), known, denied: ['service(blue.gone)'] })), '');
});

t.test('names and tags with other characters are found', async (t) => {
  const names = ['a b', '100%', 'a?b', 'a#b', 'кэш', 'a"b', 'a\\b', 'a&b', 'a/b', 'a|b', 'a~b'];
  const known = know(Object.fromEntries(names.map((name) => [name, []])));
  for (const [i, name] of names.entries()) {
    const result = renderText({ text: ports('vars.name'), known: { ...known, 'service(a)~b': [] }, vars: { name } });
    t.equal(textOf(result), `${i + 1} `, name);
  }
  const tagged = know({ web: ['a b', 'a|b', 'a@b', 'ключ', '50%'] });
  for (const tag of ['a b', 'a|b', 'a@b', 'ключ', '50%']) {
    t.equal(textOf(renderText({ text: ports('vars.query'), known: tagged, vars: { query: `${tag}.web` } })), '1 ', tag);
    t.equal(textOf(renderText({ text: ports('"web" tag=vars.tag'), known: tagged, vars: { tag } })), '1 ', tag);
  }
});

t.test('a name with options is taken literally', async (t) => {
  const known = { 'service(a@b|c)@dc2': [makeInstance({ port: 7, checks: [critical] })] };
  t.equal(textOf(renderText({ text: ports('"a@b|c" dc="dc2" filter="any"'), known })), '7 ');
  t.equal(textOf(renderText({ text: ports('"a@b|c" dc="dc2"'), known })), '');
  t.match(textOf(renderText({ text: ports('"web" filter="sick"'), known })), /"sick" is not a state/);
  t.match(textOf(renderText({ text: ports('"web" tag=1'), known })), /tag must be a text/);
});

const critical = { id: 'c', serviceId: 'web-1', name: 'c', output: '', status: 'critical' as const };

t.test('a loop over all services takes each name literally, and ignores one that no request can name', async (t) => {
  const names = ['..', '/a', 'a b', 'a//b', 'a@b', 'a|any', 'a|sick', 'a~b', 'v1.web', 'web'];
  const known = know(Object.fromEntries(names.map((name) => [name, name === 'web' ? ['v1'] : []])));
  const text = `{{#each (services)}}{{name}}: ${ports('name')}; {{/each}}`;
  const result = renderText({ text, known });
  const found = '..: ; /a: ; a b: 3 ; a//b: ; a@b: 5 ; a|any: 6 ; a|sick: 7 ; a~b: 8 ; v1.web: 9 ; web: 10 ; ';
  t.equal(textOf(result), found);
  t.same(result.warnings, [
    'No request can ask Consul for the service "..": give it another name.',
    'No request can ask Consul for the service "/a": give it another name.',
    'No request can ask Consul for the service "a//b": give it another name.',
  ]);
});

t.test('a query that fits nothing is an error that names its form', async (t) => {
  const known = { 'service(web?ns=x)': [], 'service(web|sick)': [] };
  t.match(textOf(renderText({ text: ports('"web?ns=x"'), known })), /namespaces, partitions and peers are settings/);
  t.match(textOf(renderText({ text: ports('"web|sick"'), known })), /"sick" is not a state/);
  t.match(
    textOf(renderText({ text: ports('".web"'), known: { 'service(.web)': [] } })),
    /is not "tag\.name@datacenter~near\|filter"/,
  );
  t.match(textOf(renderText({ text: ports('""') })), /the service's name is empty/);
});

t.test('loops over nodes and keys take each name literally', async (t) => {
  const node = { id: '', address: '10.0.0.1', datacenter: 'dc1', meta: {} };
  const known = {
    nodes: [
      { ...node, node: '..' },
      { ...node, node: 'a@b' },
    ],
    'node(a@b)': { ...node, node: 'a@b', services: [] },
    'key-tree(f/)': [{ key: 'f/a@b', value: 'v', modifyIndex: 1 }],
    'key(f/a@b)': { key: 'f/a@b', value: 'v', modifyIndex: 1 },
  };
  const nodes = '{{#each (nodes) as |one|}}{{#with (node one.node) as |n|}}{{n.address}} {{/with}}{{/each}}';
  const result = renderText({ text: `${nodes}{{#each (ls "f/")}}{{key path}}{{/each}}`, known });
  t.equal(textOf(result), '10.0.0.1 v');
  t.same(result.warnings, ['No request can ask Consul for the node "..": give it another name.']);
});
