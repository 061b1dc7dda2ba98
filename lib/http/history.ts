import * as z from 'zod';
import { SwitchmasterError } from '../errors.ts';
import { allMastersKey } from '../model/maintenance.ts';
import type { Api } from './api.ts';
import { describeClusterFailovers, isClusterOrder } from './cluster-stories.ts';
import { describeFailovers, foldOthers } from './failover-stories.ts';
import { nameInPathParameter, nameParameter } from './parameters.ts';
import { describeEntry } from './sentences.ts';
import { historyAnswer, whyAnswer } from './shapes.ts';
import type { ClustersView, JournalView, MastersView } from './views.ts';

const longest = 1_000;
const limit = z.coerce.number().int().min(1).max(longest);
const historyQuery = z.object({
  loop: z.string().max(64).optional(),
  key: nameParameter.optional(),
  limit: limit.default(100),
});
const whyParams = z.object({ name: nameInPathParameter });
const whyQuery = z.object({ limit: limit.default(20) });

/** Loops that change a master or a cluster. Single steps of a failover are left out. */
const deciding = ['bridge', 'fence', 'crash', 'isolation', 'failover', 'rebase', 'maintenance'];
const decidingOfClusters = ['cluster', 'cluster-crash', 'cluster-failover'];

/** Routes that read the journal. */
export function addHistoryRoutes(
  server: Api,
  views: { readonly journal: JournalView; readonly masters: MastersView; readonly clusters: ClustersView },
): void {
  const history = {
    summary: 'List outcomes, newest first',
    querystring: historyQuery,
    response: { 200: historyAnswer },
  };
  server.get('/v1/history', { schema: history }, async (request) => {
    const { loop, key, limit } = request.query;
    const filter = { ...(loop === undefined ? {} : { loop }), ...(key === undefined ? {} : { key }), limit };
    return { entries: views.journal.list(filter) };
  });
  const why = {
    summary:
      'Explain the changes of a master or a cluster: the story of each failover, newest last; then every decision, newest first',
    params: whyParams,
    querystring: whyQuery,
    response: { 200: whyAnswer },
  };
  server.get('/v1/why/:name', { schema: why }, async (request) => {
    const { name } = request.params;
    const { limit } = request.query;
    const loop = [...deciding, ...decidingOfClusters];
    const all = views.journal.list({ loop, key: [name, allMastersKey], limit: longest });
    const entries = all.slice(0, limit);
    const master = views.masters.get(name);
    const cluster = views.clusters.list().find((one) => one.name === name);
    if (master === undefined && cluster === undefined && all.every(({ key }) => key !== name)) {
      throw new SwitchmasterError('not-found', `no master or cluster is called ${JSON.stringify(name)}`);
    }
    const story = entries.map((entry) => ({ id: entry.id, sentences: describeEntry(entry) }));
    const stories = [...describeFailovers(all), ...describeClusterFailovers(all)].toSorted((a, b) => a.id - b.id);
    const others = foldOthers(all.filter((entry) => !isClusterOrder(entry)));
    return {
      name,
      record: master?.record ?? null,
      cluster: cluster?.record ?? null,
      maintenance: master?.maintenance ?? cluster?.maintenance ?? null,
      failovers: stories.slice(-limit),
      others: others.slice(0, limit),
      story,
      entries,
    };
  });
}
