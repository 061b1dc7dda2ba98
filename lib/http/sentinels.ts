import { formatAddress } from '../model/address.ts';
import type { Api } from './api.ts';
import { sentinelsAnswer } from './shapes.ts';
import type { MasterState, MastersView } from './views.ts';

type Vote = MasterState['sentinels'][number];

/** The votes of `/v1/masters`, grouped by Sentinel. */
export function addSentinelRoutes(server: Api, views: { readonly masters: MastersView }): void {
  const schema = { summary: 'List each Sentinel with its vote on each master', response: { 200: sentinelsAnswer } };
  server.get('/v1/sentinels', { schema }, async () => {
    const votes = views.masters
      .list()
      .flatMap(({ name, sentinels }) => sentinels.map((vote: Vote) => ({ name, vote })));
    const groups = Map.groupBy(votes, ({ vote }) => formatAddress(vote.address));
    const sentinels = [...groups].flatMap(([, masters]) => {
      const [first] = masters;
      return first === undefined ? [] : [{ address: first.vote.address, id: first.vote.id, masters }];
    });
    return { sentinels: sentinels.sort((a, b) => (formatAddress(a.address) < formatAddress(b.address) ? -1 : 1)) };
  });
}
