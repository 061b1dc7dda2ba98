import type { ServiceInstance } from './catalog.ts';
import { dnsSafe, externalNode, longestLabel, masterOfNode, type Naming, nodeMetaKeys, shortHash } from './naming.ts';

/*
 * The external node on which a master has its services. Masters of several environments can have one name for it:
 * `redis-prod-eu-cache` is the node of `eu-cache` in `prod`, of `cache` in `prod-eu`, and of `prod-eu-cache` without an
 * environment. The first one has the name, and every other one has a node with a hash.
 */

type Node = Pick<ServiceInstance, 'nodeMeta'>;

const prefix = externalNode({ environment: undefined }, '');

/** The node of a master where another environment has a node of the usual name. No other master has a node of this name. */
export function distinctNode(naming: Naming, name: string): string {
  const label = ownLabel(externalNode(naming, name));
  const hash = shortHash(JSON.stringify([naming.environment ?? '', name]));
  return `${prefix}${label.slice(0, longestLabel - hash.length - 1)}-${hash}`;
}

/** Consul finds a node whatever the case of its name. */
export function nodeKey(node: string): string {
  return node.toLowerCase();
}

/**
 * Chooses the node of a master by the instances in the catalog. A master that has its distinct node keeps it, because its
 * name in DNS must not go to another master and back: also where Consul has lost its data, if the caller knows the last node.
 */
export function chooseNode(
  { naming, name, last }: { readonly naming: Naming; readonly name: string; readonly last?: string | undefined },
  instancesOn: (node: string) => readonly Node[],
): string {
  const [node, distinct] = [externalNode(naming, name), distinctNode(naming, name)];
  const isOurs = ({ nodeMeta }: Node) => masterOfNode(naming, nodeMeta) === name;
  const isTaken = ({ nodeMeta }: Node) => isOfOtherEnvironment(naming, nodeMeta);
  return last === distinct || instancesOn(distinct).some(isOurs) || instancesOn(node).some(isTaken) ? distinct : node;
}

/** Whether a master of another environment can have the same usual node. */
export function canBeTaken(naming: Naming, name: string): boolean {
  return ownLabel(externalNode(naming, name)).includes('-');
}

/** Whether a bridge of another environment wrote the node. */
export function isOfOtherEnvironment({ environment = '' }: Naming, meta: Readonly<Record<string, string>>): boolean {
  const owner = meta[nodeMetaKeys.environment];
  return owner !== undefined && meta[nodeMetaKeys.master] !== undefined && owner !== environment;
}

/** The tags of a master's services. Without an environment, `M` would be the label of the master that has the node of the usual name. */
export function labelsOn(node: string, { naming, name }: { readonly naming: Naming; readonly name: string }): string[] {
  const { environment } = naming;
  const own = ownLabel(node);
  if (environment !== undefined) return [dnsSafe(name), name, environment, own];
  return node === externalNode(naming, name) ? [own, name] : [own];
}

/** The label by which DNS finds the services on the node: `E-M`, or `M` without an environment. */
export function ownLabel(node: string): string {
  return node.slice(prefix.length);
}
