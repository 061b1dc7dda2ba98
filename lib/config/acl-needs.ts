import type { AclNeeds } from '../model/acl/rule.ts';
import { instanceKind } from '../model/instance-kinds.ts';
import type { ConsulQuery } from '../model/query.ts';
import type { Config } from './model.ts';

/** The rights in Consul that a config needs. `queries`: what its templates read. */
export function aclNeeds(config: Config, queries: readonly ConsulQuery[]): AclNeeds {
  const { environment, register, sentinel, sentinelEndpoint, cluster, templates } = config;
  const kinds = [
    ...(register?.instances ?? []).map(({ spec }) => spec.kind),
    ...(register?.discoveries ?? []).map(({ discovery }) => discovery.pattern.kind),
  ];
  const members = (register?.instances ?? []).flatMap(({ spec }) =>
    instanceKind(spec.kind).record === 'cluster' ? (spec.name ?? []) : [],
  );
  return {
    naming: { environment },
    registers: [...new Set(kinds.map((kind) => instanceKind(kind).service))].sort(),
    memberOf: [...new Set(members)],
    masters: sentinel?.masters,
    ordersOnCrash: sentinel?.onCrash === 'failover',
    provisions: sentinel?.provision === true,
    looksUp: [sentinel?.service, ...cluster.map(({ service }) => service)].filter((service) => service !== undefined),
    clusters: cluster.map(({ name }) => name),
    clustersOnCrash: cluster.filter(({ onCrash }) => onCrash === 'failover').map(({ name }) => name),
    answersSentinel: sentinelEndpoint !== undefined,
    queries,
    rolls: templates.some(({ rolling }) => rolling !== undefined),
  };
}
