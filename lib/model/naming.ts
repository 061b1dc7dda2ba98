import { createHash } from 'node:crypto';
import type { Publish } from './publish.ts';

/** Where one environment keeps everything in Consul, and the addresses by which clients find its servers. */
export interface Naming {
  /** undefined if the config sets none. */
  readonly environment: string | undefined;
  /** Default: clients use the addresses in the records. */
  readonly publish?: Publish;
}

export const masterService = 'redis-master';
export const replicaService = 'redis-replica';
/** Switchmaster's own endpoints that answer in Sentinel's place. */
export const endpointService = 'redis-sentinel-endpoint';

/** `redis/` or `redis/E/`: every key of the environment begins with it. */
export function keyPrefix({ environment }: Naming): string {
  return environment === undefined ? 'redis/' : `redis/${environment}/`;
}

/** As a part of a sentence: where something is. */
export function describeEnvironment({ environment }: Naming): string {
  return environment === undefined ? 'without an environment' : `in environment ${environment}`;
}

/** The records of masters, one key for each master. */
export function recordPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}record/`;
}

export function recordKey(naming: Naming, name: string): string {
  return `${recordPrefix(naming)}${keySafe(name)}`;
}

/** The plain keys of all masters. */
export function plainPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}master/`;
}

/** The plain key of a master: `host:port`. `/host`, `/port` and `/epoch` are below it. */
export function plainKey(naming: Naming, name: string): string {
  return `${plainPrefix(naming)}${keySafe(name)}`;
}

/** The records of Redis Clusters, one key for each cluster. */
export function clusterPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}cluster/`;
}

export function clusterKey(naming: Naming, name: string): string {
  return `${clusterPrefix(naming)}${keySafe(name)}`;
}

/** Whether a key or a folder says who is master, in any environment: a record of a master or a cluster, or a plain key. */
export function saysWhoIsMaster(key: string): boolean {
  return /^redis\/(?:[^/]+\/)?(?:record|master|cluster)\//.test(key);
}

/** The masters that every Sentinel must monitor, one key for each master. People or tools write them. */
export function desiredPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}desired/`;
}

export function desiredKey(naming: Naming, name: string): string {
  return `${desiredPrefix(naming)}${keySafe(name)}`;
}

/** What the provisioner has configured in the Sentinels: one key for each master, so that it can remove it again. */
export function provisionedPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}provisioned/`;
}

export function provisionedKey(naming: Naming, name: string): string {
  return `${provisionedPrefix(naming)}${keySafe(name)}`;
}

/** The semaphores of planned failovers, one for each master. */
export function steeringPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}steering/`;
}

/** The semaphore that a bridge holds while it carries out a planned failover of the master. */
export function steeringKey(naming: Naming, name: string): string {
  return `${steeringPrefix(naming)}${keySafe(name)}`;
}

/** What bridges publish about crashes of masters. */
export function crashPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}crash/`;
}

/** The same about the masters of one Redis Cluster, which are named by their addresses. */
export function clusterCrashPrefix(naming: Naming, cluster: string): string {
  return `${crashPrefix(naming)}cluster/${keySafe(cluster)}/`;
}

/** The semaphore of bridges that order failovers of a cluster because of crashes. */
export function clusterSteeringKey(naming: Naming, cluster: string): string {
  return `${clusterCrashPrefix(naming, cluster)}lease`;
}

/** The key by which a bridge that judges crashes is known to the others, until its session ends. */
export function crashBridgeKey(prefix: string, bridge: string): string {
  return `${prefix}bridge/${keySafe(bridge)}`;
}

/** The key that a bridge holds while it sees that the process of the master is gone. */
export function crashEvidenceKey(prefix: string, { name, bridge }: { name: string; bridge: string }): string {
  return `${prefix}evidence/${keySafe(name)}/${keySafe(bridge)}`;
}

/** The last failover of the master that a bridge ordered because of a crash. */
export function crashOrderKey(prefix: string, name: string): string {
  return `${prefix}order/${keySafe(name)}`;
}

/** The semaphores of rolling reloads, one for each group. */
export function rollingPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}rolling/`;
}

/** The semaphore of the nodes that reload one group of templates. */
export function rollingKey(naming: Naming, group: string): string {
  return `${rollingPrefix(naming)}${keySafe(group)}`;
}

/**
 * The name as one part of a key: a slash would make it a folder, and an HTTP client removes `.` and `..` from a path. Such
 * characters become `%2F` and the like, and so does `%` itself.
 */
export function keySafe(name: string): string {
  const escaped = name.replace(/[%/\p{Cc}]/gu, encodeURIComponent);
  return /^\.+$/.test(escaped) ? escaped.replaceAll('.', '%2E') : escaped;
}

/** The name that {@link keySafe} made a part of a key of; a part that it did not make stays as it is. */
export function nameInKey(part: string): string {
  if (!part.includes('%')) return part;
  try {
    const name = decodeURIComponent(part);
    return keySafe(name) === part ? name : part;
  } catch {
    return part;
  }
}

/**
 * The name as one part of a URL's path. Every client removes `.` and `..` from a path, also if they are escaped, so the API
 * takes the form that they have in keys.
 */
export function pathSafe(name: string): string {
  return encodeURIComponent(/^\.{1,2}$/.test(name) ? keySafe(name) : name);
}

/** The inverse of {@link pathSafe}, after the server has decoded the part once. */
export function nameInPath(part: string): string {
  return /^(?:%2E){1,2}$/i.test(part) ? decodeURIComponent(part) : part;
}

/** Consul's limit for a value of a node's or a service's meta, in bytes (metaValueMaxLength of agent/structs). */
export const longestMetaValue = 512;

/** Why Consul cannot hold this name; undefined if it can. */
export function unregistrable(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes <= longestMetaValue) return undefined;
  return `its name has ${bytes} bytes, and Consul takes ${longestMetaValue}: rename it in Sentinel`;
}

/** The external catalog node that has a master's services: `redis-M`, or `redis-E-M` in an environment. */
export function externalNode({ environment }: Naming, name: string): string {
  return environment === undefined ? `redis-${dnsSafe(name)}` : `redis-${environmentLabel(environment, name)}`;
}

/**
 * What distinguishes masters of one name in several environments of one Consul: `E-M`, as one label of a DNS name. A hash
 * ends one that would be longer than a label can be.
 */
export function environmentLabel(environment: string, name: string): string {
  const label = `${dnsSafe(environment)}-${dnsSafe(name)}`;
  return label.length <= longestLabel
    ? label
    : `${label.slice(0, longestLabel - 9)}-${shortHash(`${environment} ${name}`)}`;
}

/** RFC 1035, 2.3.4. */
export const longestLabel = 63;

/** Eight hexadecimal digits that distinguish texts. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** Meta keys of an external node: the master and the environment (empty for none) of the bridge that wrote it. */
export const nodeMetaKeys = { master: 'switchmaster-master', environment: 'switchmaster-environment' } as const;

/** True for a node that a bridge of any environment wrote. */
export function isBridgeNode(meta: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(meta, nodeMetaKeys.master);
}

/** The master whose services a bridge of this environment keeps on the node; undefined for every other node. */
export function masterOfNode({ environment = '' }: Naming, meta: Readonly<Record<string, string>>): string | undefined {
  return meta[nodeMetaKeys.environment] === environment ? meta[nodeMetaKeys.master] : undefined;
}

/**
 * The name as one label of a DNS name: other characters become `-` (RFC 1123; Consul ignores case). Little is left of a name
 * with letters outside ASCII, so a hash distinguishes it.
 */
export function dnsSafe(name: string): string {
  const label = name.replace(/[^A-Za-z0-9-]/g, '-');
  if (!/[^\p{ASCII}]/u.test(name)) return label.slice(0, longestLabel);
  const letters = label
    .replace(/-+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, longestLabel - 9);
  const hash = shortHash(name);
  return letters === '' ? `m-${hash}` : `${letters}-${hash}`;
}

/** The roles that services have as tags, beside the names of masters and clusters. */
const roleTags: ReadonlySet<string> = new Set(['master', 'replica']);

/** Whether Consul's DNS takes the tag for a role; it ignores case. */
export function isRoleTag(tag: string): boolean {
  return roleTags.has(tag.toLowerCase());
}

/** The tag of a master or a cluster on services that also have their role as a tag: a hash distinguishes a name like a role. */
export function nameTag(name: string): string {
  const label = dnsSafe(name);
  return isRoleTag(label) ? `${label}-${shortHash(name)}` : label;
}

/** Groups of names with the same DNS-safe form: they would share a node and a DNS name. */
export function collisions(names: Iterable<string>): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const label = dnsSafe(name).toLowerCase();
    groups.set(label, [...(groups.get(label) ?? []), name]);
  }
  return [...groups.values()].filter((group) => group.length > 1).map((group) => group.toSorted());
}
