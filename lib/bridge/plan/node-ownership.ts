import type { CatalogNode, Holdings } from '../../model/catalog.ts';
import { externalNode, type Naming } from '../../model/naming.ts';

/*
 * Whose a node of the catalog is. Ours are marked by their meta. To write to an agent's own node would change that
 * agent's address until its anti-entropy took it back, and so on without end (hashicorp/consul 7513).
 */

interface Claim {
  readonly naming: Naming;
  readonly name: string;
}

/** The meta of a master's external node, by which it is known as ours. */
export function nodeMeta({ naming, name }: Claim): Readonly<Record<string, string>> {
  return {
    'external-node': 'true',
    // consul-esm would probe the node by ping and contradict the Sentinels.
    'external-probe': 'false',
    [metaMaster]: name,
    [metaEnvironment]: naming.environment ?? '',
  };
}

/** `proven`: instances of ours lie there; `unproven`: there are none, so that the catalog has to be asked about the node. */
export type Ownership =
  | { readonly kind: 'proven' }
  | { readonly kind: 'unproven' }
  | { readonly kind: 'foreign'; readonly owner: string };

/** By the instances on the node: no request is needed for this. */
export function ownershipOf(claim: Claim, holdings: Holdings): Ownership {
  for (const { nodeMeta: meta } of holdings.instances) {
    const owner = markedOwner(claim, meta);
    if (owner === 'ours') return { kind: 'proven' };
    if (owner !== undefined) return { kind: 'foreign', owner };
  }
  return { kind: 'unproven' };
}

/**
 * By the catalog's node of that name. One without marks is only ours where somebody removed them: where there is, or
 * was, a record (`recorded`).
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
  return recorded ? undefined : `somebody else (${node.address}; deregister it if nobody needs it)`;
}

/** What is to be done about a node that belongs to somebody else. */
export function foreignNode({ name }: Claim, owner: string): string {
  return `nothing is written: Consul's node ${externalNode(name)} belongs to ${owner}; rename one of them`;
}

const metaMaster = 'switchmaster-master';
const metaEnvironment = 'switchmaster-environment';

function markedOwner({ naming, name }: Claim, meta: Readonly<Record<string, string>>): string | undefined {
  const [master, environment] = [meta[metaMaster], meta[metaEnvironment]];
  if (master === undefined || environment === undefined) return undefined;
  if (master === name && environment === (naming.environment ?? '')) return 'ours';
  return environment === '' ? `master ${master}` : `master ${master} of environment ${environment}`;
}
