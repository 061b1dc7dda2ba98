import { type ConsulScope, isDefaultScope } from '../consul-scope.ts';
import { masterService, replicaService } from '../naming.ts';
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
  const lines = rules.map(({ resource, segment, policy }) => `${resource} "${segment}" { policy = "${policy}" }`);
  const blocks = scope === undefined || isDefaultScope(scope) ? lines : withinScope(lines, scope);
  return [
    '',
    '# Consul\'s DNS does not use this token. With default_policy = "deny" its answers are empty until the anonymous token, or',
    "# the agents' acl.tokens.dns or acl.tokens.default, has these rules:",
    ...blocks.map((line) => `#   ${line}`),
    '',
  ].join('\n');
}

/** A rule of the default namespace has no effect on the services of another. */
function withinScope(lines: readonly string[], { namespace, partition }: ConsulScope): readonly string[] {
  const block = (name: string, inner: readonly string[]) => [`${name} {`, ...inner.map((line) => `  ${line}`), '}'];
  const inNamespace = block(`namespace "${namespace}"`, lines);
  return partition === undefined ? inNamespace : block(`partition "${partition}"`, inNamespace);
}
