import { type ConsulScope, isDefaultScope } from '../consul-scope.ts';
import { inNamespaceBlock, inPartitionBlock } from './block.ts';
import { partRules } from './parts.ts';
import type { AclNeeds, AclRule } from './rule.ts';

/** The least rules that the daemon needs. No rule implies another. */
export function planAcl(needs: AclNeeds): readonly AclRule[] {
  return reduce(listRights(needs));
}

/** Each right that the daemon needs, also where another rule usually includes it: a narrow rule of the token may take it away. */
export function listRights(needs: AclNeeds): readonly AclRule[] {
  const rules = Object.values(partRules).flatMap((rulesOf) => rulesOf(needs));
  const byText = Map.groupBy(rules, ({ resource, segment, policy }) => `${resource} ${segment} ${policy}`);
  return [...byText.values()].map((same) => same.find((rule) => rule.without === undefined) ?? (same[0] as AclRule));
}

/** The format of `consul acl policy create -rules`. With a scope, the policy is one of the default namespace. */
export function formatAcl(rules: readonly AclRule[], scope?: ConsulScope): string {
  if (scope === undefined || isDefaultScope(scope)) return formatRules(rules);
  const inside = inNamespaceBlock(scope, formatRules(reduce(rules.flatMap(inNamespace))));
  const blocks = [formatRules(rules.filter(isOutside)), inside].filter((text) => text !== '').join('\n');
  return inPartitionBlock(scope, blocks);
}

/** Rules that a namespace cannot have: it has no nodes to write, no agents and no peers ("ACL rules", Consul 1.12). */
function isOutside({ resource, policy }: AclRule): boolean {
  if (resource === 'peering' || resource === 'agent_prefix') return true;
  return (resource === 'node' || resource === 'node_prefix') && policy === 'write';
}

/** Services are read together with their nodes. */
function inNamespace(rule: AclRule): readonly AclRule[] {
  if (!isOutside(rule)) return [rule];
  return rule.resource === 'node' || rule.resource === 'node_prefix' ? [{ ...rule, policy: 'read' }] : [];
}

function formatRules(rules: readonly AclRule[]): string {
  return rules
    .map(({ resource, segment, policy, why }) => {
      if (resource === 'peering') return `# ${why}\npeering = "${policy}"\n`;
      return `# ${why}\n${resource} ${JSON.stringify(segment)} {\n  policy = "${policy}"\n}\n`;
    })
    .join('\n');
}

/** Removes the rules that another rule includes. */
export function reduce(rules: readonly AclRule[]): readonly AclRule[] {
  const kept: AclRule[] = [];
  for (const rule of rules) {
    if (kept.some((other) => grants(other, rule))) continue;
    const surplus = kept.filter((other) => grants(rule, other));
    for (const other of surplus) kept.splice(kept.indexOf(other), 1);
    kept.push(rule);
  }
  return kept;
}

/**
 * Consul applies the most specific rule only: a narrow `read` overrides a wide `write`, and a wide rule has no effect on
 * names that a narrow one covers.
 */
function grants(wide: AclRule, narrow: AclRule): boolean {
  const isPrefix = wide.resource.endsWith('_prefix');
  const sameKind = wide.resource.replace('_prefix', '') === narrow.resource.replace('_prefix', '');
  const covers = isPrefix
    ? narrow.segment.startsWith(wide.segment)
    : wide.resource === narrow.resource && wide.segment === narrow.segment;
  return sameKind && covers && (wide.policy === 'write' || narrow.policy === wide.policy);
}
