import type { CatalogContents, CatalogNode } from '../../model/catalog.ts';
import { type Naming, nodeMetaKeys } from '../../model/naming.ts';

/*
 * Who owns a node of the catalog. Our nodes are marked by their meta. A write to an agent's own node would change that
 * agent's address until its anti-entropy changed it back, again and again (hashicorp/consul 7513).
 */

interface Claim {
  readonly naming: Naming;
  readonly name: string;
}

/** The meta of a master's external node, which marks it as ours. */
export function nodeMeta({ naming, name }: Claim): Readonly<Record<string, string>> {
  return {
    'external-node': 'true',
    // consul-esm would probe the node by ping and contradict the Sentinels.
    'external-probe': 'false',
    [nodeMetaKeys.master]: name,
    [nodeMetaKeys.environment]: naming.environment ?? '',
  };
}

/** `proven`: the node has instances of ours. `unproven`: it has none, so the bridge must read the node itself. */
export type Ownership =
  | { readonly kind: 'proven' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign'; readonly owner: string };

/** The ownership by the instances on the node, which the watch has already read. */
export function ownershipOf(claim: Claim, catalogContents: CatalogContents): Ownership {
  for (const { nodeMeta: meta } of catalogContents.instances) {
    const owner = markedOwner(claim, meta);
    if (owner === 'ours') return { kind: 'proven' };
    if (owner !== undefined) return { kind: 'foreign', owner };
  }
  return { kind: 'unproven' };
}

/**
 * The other owner of the catalog's node; undefined where the node is ours or does not exist. A node without marks is ours
 * only where there is, or was, a record (`recorded`): then somebody removed the marks.
 */
export function nodeOwner(
  claim: Claim,
  found: { readonly node: CatalogNode | undefined; readonly recorded: boolean },
): string | undefined {
  const { node, recorded } = found;
  if (node === undefined) return undefined;
  if (node.id !== '') return `the Consul agent of that name (${node.address})`;
  const owner = markedOwner(claim, node.meta);
  if (owner !== undefined) return owner === 'ours' ? undefined : owner;
  return recorded ? undefined : `somebody else (${node.address}; deregister it if it is not needed)`;
}

/** A sentence about a node that belongs to somebody else, with the fix. */
export function foreignNode(node: string, owner: string): string {
  return `cannot write to Consul's node ${node}: it belongs to ${owner}; rename one of them`;
}

function markedOwner({ naming, name }: Claim, meta: Readonly<Record<string, string>>): string | undefined {
  const [master, environment] = [meta[nodeMetaKeys.master], meta[nodeMetaKeys.environment]];
  if (master === undefined || environment === undefined) return undefined;
  if (master === name && environment === (naming.environment ?? '')) return 'ours';
  return environment === '' ? `master ${master}` : `master ${master} of environment ${environment}`;
}
