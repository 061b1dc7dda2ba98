import { type ConsulVersion, oldestConsul, untestedConsul } from '../../model/consul-versions.ts';
import { masterService, replicaService } from '../../model/naming.ts';
import { consulRule, type Rule } from '../rule.ts';

/** Before it, a transaction has at most 64 operations, and a change of master needs two for each replica. */
const largeTransactions: ConsulVersion = [1, 14];
const replicasInSmall = 28;

/** Whether Consul is of a suitable version, lets switchmaster write, and its DNS shows what is written at once. */
export const consulRules: readonly Rule[] = [
  consulRule({
    name: 'consul-too-old',
    severity: 'critical',
    hint: 'Upgrade Consul.',
    find: ({ consul: { version } }) =>
      isBefore(version, oldestConsul)
        ? `Consul ${version} is older than ${oldestConsul.join('.')}, the oldest version that switchmaster supports`
        : undefined,
  }),
  consulRule({
    name: 'consul-too-new',
    severity: 'warning',
    hint: 'Read the changelogs of both before you rely on it.',
    find: ({ consul: { version } }) =>
      isBefore(version, untestedConsul) === false
        ? `Consul ${version} is newer than every version that switchmaster is tested with`
        : undefined,
  }),
  consulRule({
    name: 'consul-small-transactions',
    severity: 'warning',
    hint: 'Upgrade to 1.14 or later, which takes 128.',
    reads: ['masters'],
    find: ({ consul: { version }, masters }) => {
      const replicas = Math.max(0, ...masters.map(({ instances }) => instances.length - 1));
      if (isBefore(version, oldestConsul) || !isBefore(version, largeTransactions) || replicas <= replicasInSmall)
        return undefined;
      return `Consul ${version} takes 64 operations in a transaction: with ${replicas} replicas a change of master needs more than one`;
    },
  }),
  consulRule({
    name: 'dns-ttl',
    severity: 'warning',
    hint: 'Set dns_config.service_ttl of the service to "0s".',
    find: ({ consul: { dns } }) =>
      [masterService, replicaService].flatMap((service) => {
        const ttlMs = dns?.serviceTtlMs[service] ?? longestPattern(dns?.serviceTtlMs ?? {}, service) ?? 0;
        if (ttlMs === 0) return [];
        return [
          `resolvers may cache DNS answers for ${service} for ${ttlMs / 1_000} s: clients find the old master for this long`,
        ];
      }),
  }),
  consulRule({
    name: 'dns-node-ttl',
    severity: 'warning',
    hint: 'Set dns_config.node_ttl to "0s", or let clients use A records of the service.',
    find: ({ consul: { dns } }) =>
      dns !== undefined && dns.nodeTtlMs > 0
        ? `resolvers may cache DNS answers for nodes, which SRV answers point to, for ${dns.nodeTtlMs / 1_000} s`
        : undefined,
  }),
  consulRule({
    name: 'dns-only-passing',
    severity: 'warning',
    hint: 'Set dns_config.only_passing to false: DNS leaves out critical instances anyway, and a master is a warning during a failover.',
    find: ({ consul: { dns } }) =>
      dns?.onlyPassing === true
        ? 'dns_config.only_passing leaves out instances with a warning: the name of a master is empty from the moment at which one Sentinel sees it down until its successor is recorded, and resolvers cache that'
        : undefined,
  }),
  consulRule({
    name: 'dns-denied',
    severity: 'warning',
    hint: "Give the anonymous token, or each agent's acl.tokens.dns (Consul 1.17 and later) or acl.tokens.default, these rules: switchmaster acl prints them.",
    find: ({ consul: { missingForDns = [] } }) =>
      missingForDns.length === 0
        ? undefined
        : `a request without a token may not read what DNS answers, so DNS is empty unless the agent has acl.tokens.dns: ${missingForDns.join('; ')}`,
  }),
  consulRule({
    name: 'acl-missing',
    severity: 'critical',
    hint: 'Run switchmaster acl: it prints the policy that this config needs.',
    find: ({ consul: { missingRules = [] } }) =>
      missingRules.length === 0 ? undefined : `the token lacks these rules: ${missingRules.join('; ')}`,
  }),
];

/** undefined for a version that is not known. */
function isBefore(version: string | undefined, [wantedMajor, wantedMinor]: ConsulVersion): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(version ?? '');
  if (match === null) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}

/** Consul takes the longest pattern that ends in `*` and fits (agent/dns.go, GetTTLForService). */
function longestPattern(ttls: Readonly<Record<string, number>>, service: string): number | undefined {
  const fitting = Object.keys(ttls).filter((name) => name.endsWith('*') && service.startsWith(name.slice(0, -1)));
  const [longest] = fitting.toSorted((a, b) => b.length - a.length);
  return longest === undefined ? undefined : ttls[longest];
}
