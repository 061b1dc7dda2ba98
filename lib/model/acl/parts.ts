import { isPattern } from '../glob.ts';
import { maintenancePrefix } from '../maintenance-keys.ts';
import { canBeTaken, distinctNode } from '../master-node.ts';
import {
  clusterCrashPrefix,
  clusterKey,
  crashPrefix,
  desiredPrefix,
  endpointService,
  externalNode,
  masterService,
  type Naming,
  plainKey,
  plainPrefix,
  provisionedPrefix,
  recordPrefix,
  replicaService,
  rollingPrefix,
  steeringPrefix,
} from '../naming.ts';
import type { ConsulQuery } from '../query.ts';
import type { AclNeeds, AclRule } from './rule.ts';

const without = 'No failover is ordered after a crash';
const withoutMaintenance =
  'Maintenance cannot be begun or ended here and, if the keys cannot be read, no failover is ordered after a crash';

/** The rules that each part of the daemon needs. */
export const partRules: Readonly<Record<string, (needs: AclNeeds) => readonly AclRule[]>> = {
  registrar: ({ naming, registers, memberOf }) => {
    if (registers.length === 0) return [];
    const why = 'roles of the registered instances';
    return [
      ...registers.map((service) => write('service', service, 'registers it on this node')),
      read('key_prefix', recordPrefix(naming), why),
      // A token reads only the keys of a tree that it has a rule for.
      ...memberOf.map((name) => read('key', clusterKey(naming, name), why)),
    ];
  },
  bridge: ({ naming, masters, ordersOnCrash }) => {
    if (masters === undefined) return [];
    return [
      write('key_prefix', recordPrefix(naming), 'the records of masters'),
      write('key_prefix', plainKey(naming, ''), 'the plain keys of masters'),
      ...[masterService, replicaService].map((service) =>
        write('service', service, 'masters and replicas, as in the record'),
      ),
      ...nodeRules(naming, masters),
      write('key_prefix', steeringPrefix(naming), 'the lease for a failover'),
      ...(ordersOnCrash
        ? [{ ...write('key_prefix', crashPrefix(naming), 'what the bridges see of crashed masters'), without }]
        : []),
      write('key_prefix', maintenancePrefix(naming), 'which masters are in maintenance'),
      write('session_prefix', '', 'ends the lease if the daemon dies'),
    ];
  },
  provisioner: ({ naming, provisions }) => {
    if (!provisions) return [];
    return [
      read('key_prefix', desiredPrefix(naming), 'the masters that the Sentinels must monitor'),
      write('key_prefix', provisionedPrefix(naming), 'the settings that the daemon gave to the Sentinels'),
    ];
  },
  cluster: ({ naming, clusters, clustersOnCrash }) => [
    ...clusters.map((name) => write('key', clusterKey(naming, name), "the cluster's record")),
    ...clustersOnCrash.map((name) => ({
      ...write('key_prefix', clusterCrashPrefix(naming, name), 'what the daemons see of its crashed masters'),
      without,
    })),
    ...(clustersOnCrash.length === 0
      ? []
      : [
          {
            ...write('key_prefix', maintenancePrefix(naming), 'which clusters are in maintenance'),
            without: withoutMaintenance,
          },
          { ...write('session_prefix', '', 'ends the lease if the daemon dies'), without },
        ]),
  ],
  discovery: ({ looksUp }) =>
    looksUp.flatMap((service) => serviceRules(service, 'addresses of Sentinels or cluster nodes')),
  endpoint: ({ naming, answersSentinel }) => {
    if (!answersSentinel) return [];
    return [
      write('service', endpointService, 'registers the endpoint on this node'),
      read('key_prefix', recordPrefix(naming), 'the records of masters'),
      read('key_prefix', plainPrefix(naming), 'confirms the records'),
      ...[masterService, replicaService, endpointService].flatMap((service) =>
        serviceRules(service, 'what the Sentinels say of each server'),
      ),
    ];
  },
  templates: ({ queries }) => queries.flatMap(queryRules),
  rolling: ({ naming, rolls }) => {
    if (!rolls) return [];
    return [
      write('key_prefix', rollingPrefix(naming), 'the leases for reloads'),
      write('session_prefix', '', 'ends the lease if the node dies during a reload'),
    ];
  },
};

/** Masters without wildcards need their own nodes only. */
function nodeRules(naming: Naming, masters: readonly string[]): readonly AclRule[] {
  const formerly = { environment: undefined };
  if (masters.some(isPattern)) return [write('node_prefix', externalNode(formerly, ''), "carry the masters' services")];
  const own = masters.map((name) => write('node', externalNode(naming, name), 'carries its services'));
  const distinct = masters
    .filter((name) => canBeTaken(naming, name))
    .map((name) => write('node', distinctNode(naming, name), 'carries its services where the other name is taken'));
  if (naming.environment === undefined) return [...own, ...distinct];
  const former = masters.map((name) =>
    write('node', externalNode(formerly, name), 'carried its services in former versions'),
  );
  return [...own, ...distinct, ...former];
}

/** Consul returns an instance only to a token that may read both its service and its node. */
function serviceRules(service: string, why: string): readonly AclRule[] {
  return [read('service', service, why), read('node_prefix', '', 'the nodes of services')];
}

function queryRules(query: ConsulQuery): readonly AclRule[] {
  const why = 'a template reads it';
  switch (query.kind) {
    case 'key':
      return [read('key', query.key, why)];
    case 'key-tree':
      return [read('key_prefix', query.prefix, why)];
    case 'service':
    case 'connect':
      return serviceRules(query.service, why);
    case 'services':
      return [read('service_prefix', '', why)];
    case 'node':
      return [read('node', query.node, why), read('service_prefix', '', why)];
    case 'nodes':
      return [read('node_prefix', '', why)];
    case 'agent-node':
      return [read('agent_prefix', '', "a template reads the agent's own node")];
    case 'ca-leaf':
      return [write('service', query.service, 'a template has a certificate of it')];
    case 'peerings':
      return [read('peering', '', why)];
    case 'ca-roots':
    case 'datacenters':
    case 'health':
      return [];
  }
}

function read(resource: AclRule['resource'], segment: string, why: string): AclRule {
  return { resource, segment, policy: 'read', why };
}

function write(resource: AclRule['resource'], segment: string, why: string): AclRule {
  return { resource, segment, policy: 'write', why };
}
