import {
  clusterKey,
  desiredPrefix,
  externalNode,
  masterService,
  type Naming,
  plainKey,
  provisionedPrefix,
  recordPrefix,
  replicaService,
  rollingPrefix,
  steeringPrefix,
} from '../model/naming.ts';
import type { ConsulQuery } from '../model/query.ts';

/** One rule of a Consul ACL policy. */
export interface AclRule {
  readonly resource: 'key' | 'key_prefix' | 'service' | 'service_prefix' | 'node' | 'node_prefix' | 'session_prefix';
  readonly segment: string;
  readonly policy: 'read' | 'write' | 'list';
  /** What it is for. */
  readonly why: string;
}

/** What of a config matters to Consul. */
export interface AclNeeds {
  readonly naming: Naming;
  /** Services that this node registers. */
  readonly registers: readonly string[];
  /** Names of the clusters that this node's cluster nodes belong to. */
  readonly memberOf: readonly string[];
  /** Globs of master names, where a bridge runs. */
  readonly masters: readonly string[] | undefined;
  readonly provisions: boolean;
  /** Services by which Sentinels and cluster nodes are looked up. */
  readonly looksUp: readonly string[];
  /** Names of Redis Clusters that are followed. */
  readonly clusters: readonly string[];
  /** What the templates read. */
  readonly queries: readonly ConsulQuery[];
  /** Whether any template has `rolling`. */
  readonly rolls: boolean;
}

/** The least that the daemon can work with: every rule is needed, none is implied by another. */
export function planAcl(needs: AclNeeds): readonly AclRule[] {
  return reduce([
    ...registrarRules(needs),
    ...bridgeRules(needs),
    ...provisionerRules(needs),
    ...clusterRules(needs),
    ...needs.looksUp.flatMap((service) => serviceRules(service, 'looked up in Consul')),
    ...needs.queries.flatMap(queryRules),
    ...rollingRules(needs),
  ]);
}

/** As `consul acl policy create -rules` takes it. */
export function formatAcl(rules: readonly AclRule[]): string {
  return rules
    .map(
      ({ resource, segment, policy, why }) =>
        `# ${why}\n${resource} ${JSON.stringify(segment)} {\n  policy = "${policy}"\n}\n`,
    )
    .join('\n');
}

function registrarRules({ naming, registers, memberOf }: AclNeeds): AclRule[] {
  if (registers.length === 0) return [];
  const read = { policy: 'read', why: 'roles of what is registered' } as const;
  return [
    ...registers.map(
      (segment): AclRule => ({ resource: 'service', segment, policy: 'write', why: 'registers it here' }),
    ),
    { resource: 'key_prefix', segment: recordPrefix(naming), ...read },
    // Consul leaves out of a tree what a token may not read.
    ...memberOf.map((name): AclRule => ({ resource: 'key', segment: clusterKey(naming, name), ...read })),
  ];
}

function bridgeRules({ naming, masters }: AclNeeds): AclRule[] {
  if (masters === undefined) return [];
  const plain = plainKey(naming, '');
  const literal = masters.every((name) => !/[*?]/.test(name));
  const nodes = literal
    ? masters.map(
        (name): AclRule => ({
          resource: 'node',
          segment: externalNode(name),
          policy: 'write',
          why: 'carries its services',
        }),
      )
    : [
        {
          resource: 'node_prefix',
          segment: externalNode(''),
          policy: 'write',
          why: "carry the masters' services",
        } as const,
      ];
  const services = [masterService, replicaService].map(
    (segment): AclRule => ({
      resource: 'service',
      segment,
      policy: 'write',
      why: 'masters and replicas as the record has them',
    }),
  );
  return [
    { resource: 'key_prefix', segment: recordPrefix(naming), policy: 'write', why: 'the records of masters' },
    { resource: 'key_prefix', segment: plain, policy: 'write', why: 'the plain keys of masters' },
    ...services,
    ...nodes,
    { resource: 'key_prefix', segment: steeringPrefix(naming), policy: 'write', why: 'who fails a master over now' },
    { resource: 'session_prefix', segment: '', policy: 'write', why: 'a daemon that dies while it does' },
  ];
}

function provisionerRules({ naming, provisions }: AclNeeds): AclRule[] {
  if (!provisions) return [];
  return [
    { resource: 'key_prefix', segment: desiredPrefix(naming), policy: 'read', why: 'what the Sentinels must monitor' },
    { resource: 'key_prefix', segment: provisionedPrefix(naming), policy: 'write', why: 'what they were taught' },
  ];
}

function clusterRules({ naming, clusters }: AclNeeds): AclRule[] {
  return clusters.map((name) => {
    return {
      resource: 'key',
      segment: clusterKey(naming, name),
      policy: 'write',
      why: "the cluster's record",
    };
  });
}

function rollingRules({ naming, rolls }: AclNeeds): AclRule[] {
  if (!rolls) return [];
  return [
    { resource: 'key_prefix', segment: rollingPrefix(naming), policy: 'write', why: 'who reloads now' },
    { resource: 'session_prefix', segment: '', policy: 'write', why: 'a node that dies while it reloads' },
  ];
}

/** An instance is shown only to those who may read its service and its node. */
function serviceRules(service: string, why: string): AclRule[] {
  return [
    { resource: 'service', segment: service, policy: 'read', why },
    { resource: 'node_prefix', segment: '', policy: 'read', why: 'nodes that services are on' },
  ];
}

function queryRules(query: ConsulQuery): AclRule[] {
  const why = 'read by a template';
  switch (query.kind) {
    case 'key':
      return [{ resource: 'key', segment: query.key, policy: 'read', why }];
    case 'key-tree':
      return [{ resource: 'key_prefix', segment: query.prefix, policy: 'read', why }];
    case 'service':
      return serviceRules(query.service, why);
    case 'services':
      return [{ resource: 'service_prefix', segment: '', policy: 'read', why }];
    case 'node':
      return [
        { resource: 'node', segment: query.node, policy: 'read', why },
        { resource: 'service_prefix', segment: '', policy: 'read', why },
      ];
    case 'nodes':
      return [{ resource: 'node_prefix', segment: '', policy: 'read', why }];
    case 'datacenters':
    case 'health':
      return [];
  }
}

/** Without what another rule grants already. */
function reduce(rules: readonly AclRule[]): readonly AclRule[] {
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
 * Consul takes the most specific rule alone: a narrow `read` would take away what a wide `write` grants, and a wide rule
 * grants nothing below a narrow one.
 */
function grants(wide: AclRule, narrow: AclRule): boolean {
  const isPrefix = wide.resource.endsWith('_prefix');
  const sameKind = wide.resource.replace('_prefix', '') === narrow.resource.replace('_prefix', '');
  const covers = isPrefix
    ? narrow.segment.startsWith(wide.segment)
    : wide.resource === narrow.resource && wide.segment === narrow.segment;
  return sameKind && covers && (wide.policy === 'write' || narrow.policy === wide.policy);
}
