import { type Address, formatAddress, parseAddress, sameAddress } from './address.ts';
import type { ServiceInstance } from './catalog.ts';
import { dnsSafe, isBridgeNode, masterOfNode, type Naming } from './naming.ts';

/**
 * Whether an instance of `redis-master` or `redis-replica` belongs to a master of this environment. The node of a bridge has
 * both in its meta. Elsewhere the tags are the master's name, the name's DNS-safe form, and the environment.
 */
export function isOfMaster(
  { tags, nodeMeta }: ServiceInstance,
  of: { readonly naming: Naming; readonly name: string },
): boolean {
  const { environment } = of.naming;
  if (isBridgeNode(nodeMeta)) return masterOfNode(of.naming, nodeMeta) === of.name;
  const own = [of.name, dnsSafe(of.name)];
  if (!tags.includes(of.name)) return false;
  return environment === undefined ? tags.every((tag) => own.includes(tag)) : tags.includes(environment);
}

/** The meta key of `redis-master` and `redis-replica` that has the address in the record, where another one is published. */
const recordedAddressMeta = 'recorded-address';

/** The meta keys of `redis-master` and `redis-replica` that bridges write; any other was attached by somebody else. */
export const bridgeMetaKeys: readonly string[] = ['master', 'generation', 'epoch', recordedAddressMeta];

/** What a bridge adds to the meta of a server that clients reach at another address. */
export function publicationMeta(server: {
  readonly recorded: Address;
  readonly published: Address;
}): Readonly<Record<string, string>> {
  const { recorded, published } = server;
  return sameAddress(recorded, published) ? {} : { [recordedAddressMeta]: formatAddress(recorded) };
}

/** The address in the record of an instance of `redis-master` or `redis-replica`. Its own is the one for clients. */
export function recordedAddress({ address, port, meta }: Pick<ServiceInstance, 'address' | 'port' | 'meta'>): Address {
  return parseAddress(meta[recordedAddressMeta] ?? '') ?? { host: address, port };
}
