/** What Consul holds while the pairs are rendered. */

export const keys: Readonly<Record<string, string>> = {
  'app/name': 'demo',
  'app/port': '8080',
  'app/empty': '',
  'app/json': '{"b":[1,2.5,"x"],"a":{"z":true,"y":null},"half":0.5,"five":5,"text":"<b>&"}',
  'app/numbers': '[5,2.5,1000000,9007199254740993]',
  'app/yaml': 'b: 2\na:\n  - x\n  - 1.5\nanswer: no\nwhen: 2024-01-02\noctal: 0777\ntext: "quoted: yes"\n',
  'app/pem': '-----BEGIN X-----\nabc\n-----END X-----\n',
  'app/quotes': '{"colon":"a: b","hash":"a #b","dash":"- x","quote":"it\'s","dq":"say \\"x\\"","empty":""}',
  'app/list': 'a,b,c',
  'app/pairs': 'a=1,b=2,bad,c=3=4',
  'app/html': '<a href="x">&</a>',
  'app/text': 'Grüße, ß und Σ',
  'app/padded': '  padded  ',
  'app/trailing': '42\n',
  'app/long': '9007199254740993',
  'app/dir/': '',
  'app/nested/one': '1',
  'app/nested/deep/two': '2',
  'apple/core': 'pip',
  'conf/db/host': '10.0.0.7',
  'conf/db/port': '5432',
  'conf/web/port': '80',
  'conf/10': 'ten',
  'conf/9': 'nine',
};

const checkOf = (id: string, status: string, node: string, CheckID = `check:${id}`) => ({
  Node: node,
  CheckID,
  Name: `check of ${id}`,
  Status: status,
  Output: `is ${status}`,
  ServiceID: id,
});

const nodeA = {
  ID: '11111111-1111-1111-1111-111111111111',
  Node: 'node-a',
  Address: '10.0.0.1',
  TaggedAddresses: { lan: '10.0.0.1', wan: '198.51.100.1' },
  NodeMeta: { rack: 'r1', 'external-node': 'true' },
};
const nodeB = {
  ID: '22222222-2222-2222-2222-222222222222',
  Node: 'node-b',
  Address: '10.0.0.2',
  NodeMeta: { rack: 'r2' },
};

/** Bodies of `PUT /v1/catalog/register`. */
export const registrations: readonly object[] = [
  {
    ...nodeA,
    Service: {
      ID: 'web-1',
      Service: 'web',
      Address: '10.0.1.1',
      Port: 8080,
      Tags: ['v2', 'PROD', 'alpha'],
      Meta: { version: '2', colour: 'blue' },
      Weights: { Passing: 3, Warning: 2 },
      TaggedAddresses: { lan: { Address: '10.0.1.1', Port: 8080 }, wan: { Address: '198.51.100.9', Port: 80 } },
    },
    Checks: [checkOf('web-1', 'passing', 'node-a')],
  },
  {
    ...nodeB,
    Service: { ID: 'web-2', Service: 'web', Port: 8081, Tags: ['prod', '10', '9'], Meta: { version: '10' } },
    Checks: [checkOf('web-2', 'passing', 'node-b')],
  },
  {
    ...nodeB,
    Service: { ID: 'web-3', Service: 'web', Port: 8080, Tags: [], Meta: { colour: 'dark green' } },
    Checks: [checkOf('web-3', 'warning', 'node-b')],
  },
  {
    ...nodeB,
    Service: { ID: 'web-4', Service: 'web', Port: 8084, Tags: ['prod'] },
    Checks: [checkOf('web-4', 'critical', 'node-b')],
  },
  {
    ...nodeB,
    Service: { ID: 'web-5', Service: 'web', Port: 8085, Tags: ['alpha'] },
    Checks: [checkOf('web-5', 'critical', 'node-b', '_service_maintenance:web-5')],
  },
  {
    ...nodeA,
    Service: { ID: 'a-db', Service: 'db', Address: '10.0.1.2', Port: 5432, Tags: ['go.micro', 'primary'] },
  },
  { ...nodeB, Service: { ID: 'b-db', Service: 'db', Port: 5433, Tags: ['replica'] } },
  { ...nodeA, Service: { ID: 'b-cache', Service: 'cache', Port: 0, Tags: [] } },
  {
    ...nodeA,
    Service: {
      Kind: 'connect-proxy',
      ID: 'web-1-mesh-proxy',
      Service: 'web-mesh-proxy',
      Port: 21000,
      Tags: ['v2'],
      Proxy: { DestinationServiceName: 'web', DestinationServiceID: 'web-1' },
    },
  },
];

/** The environment of both programs. */
export const environment: Readonly<Record<string, string>> = { SM_NAME: 'value', SM_EMPTY: '', SM_NUMBER: '7' };

/** The file that `%FILE%` in a source names. */
export const fileText = 'first line\nsecond line\n';
