/** Where everything of one environment lives in Consul. `environment` is undefined for the only one. */
export interface Naming {
  readonly environment: string | undefined;
}

export const masterService = 'redis-master';
export const replicaService = 'redis-replica';

/** `redis/` or `redis/E/`. */
export function keyPrefix({ environment }: Naming): string {
  return environment === undefined ? 'redis/' : `redis/${environment}/`;
}

/** Every record lies below it, one key a master. */
export function recordPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}record/`;
}

export function recordKey(naming: Naming, name: string): string {
  return `${recordPrefix(naming)}${name}`;
}

/** Who steers a master at this moment: below it lie the keys of one semaphore a master. */
export function steeringKey(naming: Naming, name: string): string {
  return `${steeringPrefix(naming)}${name}`;
}

export function steeringPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}steering/`;
}

/** Every record of a Redis Cluster lies below it. */
export function clusterPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}cluster/`;
}

/** Every master that must be monitored lies below it. */
export function desiredPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}desired/`;
}

/** One key for each master that a provisioner has taught the Sentinels, so that it knows what to take back. */
export function provisionedPrefix(naming: Naming): string {
  return `${keyPrefix(naming)}provisioned/`;
}

/** The plain key of a master: `host:port`; `/host`, `/port` and `/epoch` lie below it. */
export function plainKey(naming: Naming, name: string): string {
  return `${keyPrefix(naming)}master/${name}`;
}

/** The external catalog node that carries a master's services. */
export function externalNode(name: string): string {
  return `redis-${dnsSafe(name)}`;
}

/** What may stand in one label of a DNS name: other characters become `-` (RFC 1123; Consul compares without case). */
export function dnsSafe(name: string): string {
  return name.replace(/[^A-Za-z0-9-]/g, '-').slice(0, 63);
}

/** Names whose DNS-safe forms are one and the same: they would share a node and a DNS name. */
export function collisions(names: Iterable<string>): readonly (readonly string[])[] {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const label = dnsSafe(name).toLowerCase();
    groups.set(label, [...(groups.get(label) ?? []), name]);
  }
  return [...groups.values()].filter((group) => group.length > 1).map((group) => group.toSorted());
}
