import { type ConsulScope, isDefaultScope } from '../consul-scope.ts';
import { masterService, replicaService } from '../naming.ts';
import { inNamespaceBlock, inPartitionBlock } from './block.ts';
import type { AclNeeds, AclRule } from './rule.ts';

/**
 * What Consul's DNS must be able to read: the services of a config and the nodes that have them. DNS does not use the daemon's
 * token, but the agent's `acl.tokens.dns` (Consul 1.17 and later), else its default token, else the anonymous one.
 */
export function planDnsAcl({ masters, registers }: Pick<AclNeeds, 'masters' | 'registers'>): readonly AclRule[] {
  const services = [...(masters === undefined ? [] : [masterService, replicaService]), ...registers];
  if (services.length === 0) return [];
  const why = 'answers of DNS';
  return [
    ...services.map((segment): AclRule => ({ resource: 'service', segment, policy: 'read', why })),
    // Instances on nodes that may not be read are left out.
    { resource: 'node_prefix', segment: '', policy: 'read', why },
  ];
}

/** As comments, which `consul acl policy create -rules -` leaves out. */
export function formatDnsAcl(rules: readonly AclRule[], scope?: ConsulScope): string {
  if (rules.length === 0) return '';
  const text = rules
    .map(({ resource, segment, policy }) => `${resource} "${segment}" { policy = "${policy}" }\n`)
    .join('');
  // A rule of the default namespace has no effect on the services of another.
  const isBare = scope === undefined || isDefaultScope(scope);
  const lines = (isBare ? text : inPartitionBlock(scope, inNamespaceBlock(scope, text))).trimEnd().split('\n');
  return [
    '',
    '# Consul\'s DNS does not use this token. With default_policy = "deny" its answers are empty until the anonymous token, or',
    "# the agents' acl.tokens.dns or acl.tokens.default, has these rules:",
    ...lines.map((line) => `#   ${line}`),
    '',
  ].join('\n');
}
