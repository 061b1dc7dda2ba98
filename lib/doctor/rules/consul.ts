import type { ConsulDns, Examination, Finding } from '../../model/examination.ts';
import { externalNode, masterService, replicaService } from '../../model/naming.ts';
import { describeForeign } from '../../model/problem.ts';

const subject = 'consul';

/** Oldest and newest that it is known to work with. */
const oldest = [1, 8] as const;
const unknownMajor = 2;
/** Before it a transaction takes 64 operations, and a master's change needs two for each replica. */
const largeTransactions = [1, 14] as const;
const replicasInSmall = 28;

/** Whether Consul takes what is written, and its DNS tells it at once. */
export function examineConsul({ consul, masters }: Examination): readonly Finding[] {
  if (consul.state.kind === 'unreachable') {
    const says = consul.state.why;
    const wayOut = 'Is the agent up, and is consul.address right? Nothing is published meanwhile.';
    return [{ rule: 'consul-unreachable', severity: 'critical', subject, says, wayOut }];
  }
  const findings: Finding[] = [];
  if (!consul.leader) {
    const says = 'Consul knows no leader: nothing can be written';
    const wayOut = 'consul members; consul operator raft list-peers.';
    findings.push({ rule: 'consul-no-leader', severity: 'critical', subject, says, wayOut });
  }
  const replicas = Math.max(0, ...masters.map(({ instances }) => instances.length - 1));
  return [
    ...findings,
    ...examineVersion(consul.version, replicas),
    ...(consul.dns === undefined ? [] : examineDns(consul.dns)),
    ...examineRules(consul.missingRules ?? []),
    ...masters.flatMap(({ name }) => examineForeign(name, consul.foreign ?? [])),
  ];
}

function examineForeign(name: string, foreign: NonNullable<Examination['consul']['foreign']>): readonly Finding[] {
  return foreign
    .filter(({ tags }) => tags.some((tag) => externalNode(tag) === externalNode(name)))
    .map((instance) => {
      const wayOut = `consul services deregister -id ${instance.id} at the agent of ${instance.node}; /v1/catalog/deregister where there is none.`;
      return { rule: 'service-foreign', severity: 'critical', subject: name, says: describeForeign(instance), wayOut };
    });
}

function examineVersion(version: string | undefined, replicas: number): readonly Finding[] {
  const match = /^(\d+)\.(\d+)/.exec(version ?? '');
  if (match === null) return [];
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const before = ([wantedMajor, wantedMinor]: readonly [number, number]): boolean =>
    major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
  if (before(oldest)) {
    const says = `Consul ${version} is older than ${oldest.join('.')}, the oldest that switchmaster is made for`;
    return [{ rule: 'consul-too-old', severity: 'critical', subject, says, wayOut: 'Upgrade Consul.' }];
  }
  if (major >= unknownMajor) {
    const says = `Consul ${version} is newer than any that switchmaster is known to work with`;
    const wayOut = 'Look into the changelogs of both before you rely on it.';
    return [{ rule: 'consul-too-new', severity: 'warning', subject, says, wayOut }];
  }
  if (!before(largeTransactions) || replicas <= replicasInSmall) return [];
  const says = `Consul ${version} takes 64 operations in a transaction: with ${replicas} replicas the last ones follow in another`;
  const wayOut = 'Upgrade to 1.14 or later, where it takes 128.';
  return [{ rule: 'consul-small-transactions', severity: 'warning', subject, says, wayOut }];
}

function examineDns({ onlyPassing, nodeTtlMs, serviceTtlMs }: ConsulDns): readonly Finding[] {
  const findings: Finding[] = [];
  for (const service of [masterService, replicaService]) {
    const ttlMs = serviceTtlMs[service] ?? longestPattern(serviceTtlMs, service) ?? 0;
    if (ttlMs === 0) continue;
    const says = `DNS answers for ${service} may be kept for ${ttlMs / 1_000} s: clients find the old master for so long`;
    const wayOut = `Set dns_config.service_ttl of ${service} to "0s".`;
    findings.push({ rule: 'dns-ttl', severity: 'warning', subject, says, wayOut });
  }
  if (nodeTtlMs > 0) {
    const says = `DNS answers for nodes may be kept for ${nodeTtlMs / 1_000} s: what SRV answers point to`;
    const wayOut = 'Set dns_config.node_ttl to "0s", or let clients use A records of the service.';
    findings.push({ rule: 'dns-node-ttl', severity: 'warning', subject, says, wayOut });
  }
  if (onlyPassing) {
    const says =
      'dns_config.only_passing leaves out what is in warning: one Sentinel that sees a master down takes it out of DNS';
    const wayOut = 'Set dns_config.only_passing to false: critical instances are left out anyway.';
    findings.push({ rule: 'dns-only-passing', severity: 'warning', subject, says, wayOut });
  }
  return findings;
}

/** Consul takes the longest pattern that ends in `*` and fits (agent/dns.go, GetTTLForService). */
function longestPattern(ttls: Readonly<Record<string, number>>, service: string): number | undefined {
  const fitting = Object.keys(ttls).filter((name) => name.endsWith('*') && service.startsWith(name.slice(0, -1)));
  const [longest] = fitting.toSorted((a, b) => b.length - a.length);
  return longest === undefined ? undefined : ttls[longest];
}

function examineRules(missing: readonly string[]): readonly Finding[] {
  if (missing.length === 0) return [];
  const says = `the token lacks: ${missing.join('; ')}`;
  const wayOut = 'switchmaster acl prints the policy that this config needs.';
  return [{ rule: 'acl-missing', severity: 'critical', subject, says, wayOut }];
}
