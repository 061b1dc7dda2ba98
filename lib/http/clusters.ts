import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { formatAddress, sameAddress } from '../model/address.ts';
import type { Api } from './api.ts';
import { abortedWith, failoverLimits, limitsOf } from './failover-limits.ts';
import { clusterFailoverAnswer, clusterFailoverPreview } from './failover-shapes.ts';
import { addressParameter, nameInPathParameter, nameParameter } from './parameters.ts';
import { clusterAnswer, clusterCheckAnswer, clustersAnswer } from './shapes.ts';
import type { ClusterControls, ClusterState, ClustersView, OutcomesView } from './views.ts';

const clusterFailoverBody = z.strictObject({ node: addressParameter, ...failoverLimits });
const params = z.object({ name: nameInPathParameter });
/** Strict: an unknown parameter would otherwise be ignored, and the answer would be a wrong 200. */
const checkQuery = z.strictObject({
  name: nameParameter.optional(),
  address: addressParameter.optional(),
  role: z.enum(['master', 'replica']).optional(),
});
type Check = z.output<typeof checkQuery>;

/** The Redis Clusters that this node follows, by their records. */
export function addClusterRoutes(
  server: Api,
  views: { readonly clusters: ClustersView; readonly outcomes: OutcomesView },
): void {
  const answer = (state: ClusterState): z.output<typeof clusterAnswer> => ({
    ...state,
    lastOutcome: views.outcomes.last('cluster', state.name) ?? null,
  });
  const list = { summary: 'List every Redis Cluster with its record', response: { 200: clustersAnswer } };
  server.get('/v1/clusters', { schema: list }, async () => ({ clusters: views.clusters.list().map(answer) }));
  const one = { summary: 'Read one Redis Cluster', params, response: { 200: clusterAnswer } };
  server.get('/v1/clusters/:name', { schema: one }, async (request) => {
    const { name } = request.params;
    const state = views.clusters.list().find((cluster) => cluster.name === name);
    if (state === undefined) throw new SwitchmasterError('not-found', `no cluster is called ${JSON.stringify(name)}`);
    return answer(state);
  });
  const check = {
    summary: 'Check that a cluster serves every slot, and that an address has its role in it',
    querystring: checkQuery,
    response: { 200: clusterCheckAnswer },
  };
  server.route({
    method: ['GET', 'OPTIONS'],
    url: '/check/cluster',
    schema: check,
    handler: async (request) => checkCluster(views.clusters, request.query as Check),
  });
}

/** Orders of an operator for a cluster. The answer comes when all is done, and is the report; each step is an event. */
export function addClusterOrderRoutes(
  server: Api,
  { clusterControls }: { readonly clusterControls: ClusterControls },
): void {
  const failover = {
    summary: 'Promote a replica of a Redis Cluster without losing an acknowledged write',
    params,
    body: clusterFailoverBody,
    response: { 200: z.union([clusterFailoverAnswer, clusterFailoverPreview]) },
  };
  server.post('/v1/clusters/:name/failover', { schema: failover }, async (request, reply) => {
    const { name } = request.params;
    const { node, timeout, dryRun } = request.body;
    if (dryRun === true) return clusterControls.previewFailover(name, { node });
    return clusterControls.failOver(name, { node, ...limitsOf(timeout), signal: abortedWith(reply.raw) });
  });
}

function checkCluster(clusters: ClustersView, wanted: Check): z.output<typeof clusterCheckAnswer> {
  const asked = clusters.list().filter(({ name }) => wanted.name === undefined || wanted.name === name);
  const refusals = asked.map((state) => refusalOf(state, wanted));
  const found = asked[refusals.indexOf(undefined)];
  if (found?.record == null) {
    const why = asked.length === 0 ? 'no such cluster is followed' : refusals.join('; ');
    throw new SwitchmasterError('role-not-held', why);
  }
  return { name: found.name, epoch: found.record.epoch };
}

/** Why the cluster does not pass; undefined if it does. */
function refusalOf({ name, record }: ClusterState, { address, role }: Check): string | undefined {
  if (record === null) return `${name} has no record yet`;
  if (record.state !== 'ok' || record.uncovered.length > 0) return `${name} does not serve every slot`;
  if (address === undefined) return undefined;
  const masters = record.shards.flatMap(({ master }) => master ?? []);
  const replicas = record.shards.flatMap((shard) => shard.replicas);
  const holders = role === 'master' ? masters : role === 'replica' ? replicas : [...masters, ...replicas];
  if (holders.some((holder) => sameAddress(holder, address))) return undefined;
  return `${formatAddress(address)} is not a ${role ?? 'node'} of ${name}`;
}
