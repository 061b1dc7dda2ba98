/*
 * What is known about a value of a template, because fields have other names here. The fields of consul-template are those
 * of its structures in dependency/*.go.
 */
export type Shape =
  /** No value: the top of a template of consul-template. */
  | 'nothing'
  | 'unknown'
  /** A text, a number or a boolean. */
  | 'plain'
  /** From JSON, YAML or keys: the names of fields are the user's own. */
  | 'data'
  | { readonly record: RecordName }
  | { readonly list: Shape }
  | { readonly map: Shape };

type RecordName =
  | 'instance'
  | 'weights'
  | 'taggedAddress'
  | 'check'
  | 'catalogService'
  | 'nodeAndServices'
  | 'node'
  | 'nodeService'
  | 'pair'
  | 'root'
  | 'leaf'
  | 'peering'
  | 'redishappy'
  | 'redishappyCluster'
  | 'rubyInstance'
  | 'rubyInstanceNode'
  | 'rubyInstanceService';

const plainMap: Shape = { map: 'plain' };
const texts: Shape = { list: 'plain' };

/** The name here, and the shape. An empty name: the same object. A name in parentheses: the whole value. */
type Field = readonly [name: string, shape: Shape];

const records: Readonly<Record<RecordName, Readonly<Record<string, Field>>>> = {
  instance: {
    ID: ['id', 'plain'],
    Name: ['name', 'plain'],
    Node: ['node', 'plain'],
    NodeID: ['nodeId', 'plain'],
    NodeAddress: ['nodeAddress', 'plain'],
    NodeTaggedAddresses: ['nodeTaggedAddresses', plainMap],
    NodeMeta: ['nodeMeta', plainMap],
    ServiceMeta: ['meta', plainMap],
    Address: ['address', 'plain'],
    ServiceTaggedAddresses: ['taggedAddresses', { map: { record: 'taggedAddress' } }],
    Tags: ['tags', texts],
    Checks: ['checks', { list: { record: 'check' } }],
    Status: ['status', 'plain'],
    Port: ['port', 'plain'],
    Weights: ['weights', { record: 'weights' }],
  },
  weights: { Passing: ['passing', 'plain'], Warning: ['warning', 'plain'] },
  taggedAddress: { Address: ['address', 'plain'], Port: ['port', 'plain'] },
  check: {
    CheckID: ['id', 'plain'],
    Name: ['name', 'plain'],
    Status: ['status', 'plain'],
    Output: ['output', 'plain'],
  },
  catalogService: { Name: ['name', 'plain'], Tags: ['tags', texts] },
  nodeAndServices: {
    Node: ['', { record: 'node' }],
    Services: ['services', { list: { record: 'nodeService' } }],
  },
  node: {
    ID: ['id', 'plain'],
    Node: ['node', 'plain'],
    Address: ['address', 'plain'],
    Datacenter: ['datacenter', 'plain'],
    TaggedAddresses: ['taggedAddresses', plainMap],
    Meta: ['meta', plainMap],
  },
  nodeService: {
    ID: ['id', 'plain'],
    Service: ['name', 'plain'],
    Tags: ['tags', texts],
    Meta: ['meta', plainMap],
    Port: ['port', 'plain'],
    Address: ['address', 'plain'],
  },
  pair: { Path: ['path', 'plain'], Key: ['key', 'plain'], Value: ['value', 'plain'] },
  root: {
    ID: ['id', 'plain'],
    Name: ['name', 'plain'],
    Active: ['active', 'plain'],
    RootCertPEM: ['rootCert', 'plain'],
  },
  leaf: {
    Service: ['service', 'plain'],
    SerialNumber: ['serialNumber', 'plain'],
    CertPEM: ['cert', 'plain'],
    PrivateKeyPEM: ['privateKey', 'plain'],
  },
  /** What redishappy gives its template. Clusters are the masters that have a port. */
  redishappy: {
    Clusters: ['(lookup (redisListeners @root.vars.ports) "listeners")', { list: { record: 'redishappyCluster' } }],
  },
  redishappyCluster: {
    Name: ['name', 'plain'],
    Ip: ['host', 'plain'],
    Port: ['port', 'plain'],
    ExternalPort: ['listen', 'plain'],
  },
  /** An instance in consul-templaterb, whose fields are those of Consul's answer. */
  rubyInstance: {
    Node: ['', { record: 'rubyInstanceNode' }],
    Service: ['', { record: 'rubyInstanceService' }],
    Checks: ['checks', { list: { record: 'check' } }],
    service_address: ['address', 'plain'],
    status: ['status', 'plain'],
  },
  rubyInstanceNode: {
    ID: ['nodeId', 'plain'],
    Node: ['node', 'plain'],
    Address: ['nodeAddress', 'plain'],
    Datacenter: ['datacenter', 'plain'],
    Meta: ['nodeMeta', plainMap],
  },
  rubyInstanceService: {
    ID: ['id', 'plain'],
    Service: ['name', 'plain'],
    Port: ['port', 'plain'],
    Tags: ['tags', texts],
    Meta: ['meta', plainMap],
  },
  peering: { ID: ['id', 'plain'], Name: ['name', 'plain'], State: ['state', 'plain'], Meta: ['meta', plainMap] },
};

/** A field of a value; undefined if a value of this shape has none of that name, or if it is unknown. */
export function fieldOf(shape: Shape, name: string): Field | undefined {
  if (shape === 'data') return [name, 'data'];
  if (typeof shape === 'string') return undefined;
  if ('map' in shape) return [name, shape.map];
  if ('list' in shape) return undefined;
  const fields = records[shape.record];
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** What a loop over a value, or `index` in it, gives; undefined if that is an error. */
export function elementOf(shape: Shape): Shape | undefined {
  if (shape === 'unknown' || shape === 'data') return shape;
  if (typeof shape === 'string' || 'record' in shape) return undefined;
  return 'list' in shape ? shape.list : shape.map;
}

/** Whether a value holds objects whose fields have other names than in consul-template. */
export function hasOtherNames(shape: Shape): boolean {
  if (typeof shape === 'string') return false;
  if ('record' in shape) return true;
  return hasOtherNames('list' in shape ? shape.list : shape.map);
}

export function isSameShape(a: Shape, b: Shape): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** In a message. */
export function describeShape(shape: Shape): string {
  if (shape === 'nothing') return 'no value';
  if (shape === 'unknown') return 'a value of unknown kind';
  if (shape === 'plain') return 'a text or a number';
  if (shape === 'data') return 'an object';
  if ('record' in shape) return `an object (${shape.record})`;
  return 'list' in shape ? 'a list' : 'a map';
}
