/**
 * What one kind of instance is to the config, to Consul, to the ACL policy and to the documentation. How this node
 * probes and judges it is in `lib/registrar/kinds/`, which has one entry for each row.
 */
export interface InstanceKindRow {
  /** The term for people. */
  readonly title: string;
  /** The Consul service that its instances are registered as. A token needs `service:write` on it. */
  readonly service: string;
  /** The record in Consul that lists its instances with their roles. A token needs `key:read` on it. */
  readonly record: 'master' | 'cluster' | 'none';
  /** Its tags, before the environment and those of the config. */
  readonly tags: 'name and role' | 'kind' | 'none';
  /** The form of what a successful probe finds: see `ProbeResult`. */
  readonly answer: 'redis' | 'sentinel' | 'proxy';
  /** Words in the paths of the templates that render its config. Empty if no template does. */
  readonly configNames: readonly string[];
  /** Whether the config must have `name`. */
  readonly name: 'required' | 'optional';
  /** Whether the config may have `discover` in place of `address`. */
  readonly discover: 'supported' | 'unsupported';
  /** Whether `address` may be the path of a unix domain socket. */
  readonly socket: 'supported' | 'unsupported';
  /** Whether the config may have `stats`. */
  readonly stats: 'supported' | 'unsupported';
  /** Whether the config may have `isolation`. */
  readonly isolation: 'supported' | 'unsupported';
  /** The environment variable with the password where the config has no `passwordFile`. */
  readonly passwordVariable: string;
}

/** Every kind of process that a node can register. Another kind begins with a row here. */
export const instanceKinds = {
  redis: {
    title: 'Redis',
    service: 'redis',
    record: 'master',
    tags: 'name and role',
    answer: 'redis',
    configNames: [],
    name: 'optional',
    discover: 'supported',
    socket: 'supported',
    stats: 'unsupported',
    isolation: 'supported',
    passwordVariable: 'SWITCHMASTER_REDIS_PASSWORD',
  },
  sentinel: {
    title: 'Sentinel',
    service: 'redis-sentinel',
    record: 'none',
    tags: 'none',
    answer: 'sentinel',
    configNames: [],
    name: 'optional',
    discover: 'unsupported',
    socket: 'unsupported',
    stats: 'unsupported',
    isolation: 'unsupported',
    passwordVariable: 'SWITCHMASTER_SENTINEL_PASSWORD',
  },
  cluster: {
    title: 'Redis Cluster node',
    service: 'redis-cluster',
    record: 'cluster',
    tags: 'name and role',
    answer: 'redis',
    configNames: [],
    name: 'required',
    discover: 'unsupported',
    socket: 'unsupported',
    stats: 'unsupported',
    isolation: 'unsupported',
    passwordVariable: 'SWITCHMASTER_REDIS_PASSWORD',
  },
  twemproxy: {
    title: 'twemproxy',
    service: 'redis-proxy',
    record: 'none',
    tags: 'kind',
    answer: 'proxy',
    configNames: ['twemproxy', 'nutcracker'],
    name: 'optional',
    discover: 'unsupported',
    socket: 'supported',
    stats: 'supported',
    isolation: 'unsupported',
    passwordVariable: 'SWITCHMASTER_REDIS_PASSWORD',
  },
  haproxy: {
    title: 'HAProxy',
    service: 'redis-proxy',
    record: 'none',
    tags: 'kind',
    answer: 'proxy',
    configNames: ['haproxy'],
    name: 'optional',
    discover: 'unsupported',
    socket: 'supported',
    stats: 'supported',
    isolation: 'unsupported',
    passwordVariable: 'SWITCHMASTER_REDIS_PASSWORD',
  },
} as const satisfies Readonly<Record<string, InstanceKindRow>>;

export type InstanceKind = keyof typeof instanceKinds;

export const instanceKindNames = Object.keys(instanceKinds) as readonly InstanceKind[];

export function instanceKind(kind: InstanceKind): InstanceKindRow {
  return instanceKinds[kind];
}

/** The kinds for which the config may have a key. */
export function kindsSupporting(key: 'discover' | 'socket' | 'stats' | 'isolation'): readonly InstanceKind[] {
  return instanceKindNames.filter((kind) => instanceKind(kind)[key] === 'supported');
}

/** The kind whose config a file is, by the words in its paths; undefined where they name none. */
export function kindConfiguredBy(paths: readonly string[]): InstanceKind | undefined {
  const text = paths.join(' ').toLowerCase();
  return instanceKindNames.find((kind) => instanceKind(kind).configNames.some((word) => text.includes(word)));
}
