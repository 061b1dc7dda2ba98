import { formatAddress } from '../model/address.ts';
import type { Api } from './api.ts';
import { sentinelsAnswer } from './shapes.ts';
import type { MasterState, MastersView, SentinelState } from './views.ts';

type Vote = MasterState['sentinels'][number];

/** Every Sentinel that the bridge knows, with its votes of `/v1/masters`. */
export function addSentinelRoutes(server: Api, views: { readonly masters: MastersView }): void {
  const schema = { summary: 'List each Sentinel with its vote on each master', response: { 200: sentinelsAnswer } };
  server.get('/v1/sentinels', { schema }, async () => {
    const votes = views.masters
      .list()
      .flatMap(({ name, sentinels }) => sentinels.map((vote: Vote) => ({ name, vote })));
    const groups = Map.groupBy(votes, ({ vote }) => formatAddress(vote.address));
    const known = new Map(views.masters.sentinels().map((state) => [formatAddress(state.address), state]));
    const sentinels = [...new Set([...known.keys(), ...groups.keys()])].toSorted().flatMap((key) => {
      const masters = groups.get(key) ?? [];
      const state = known.get(key) ?? stateOf(masters[0]?.vote);
      return state === undefined ? [] : [{ ...state, masters }];
    });
    return { sentinels };
  });
}

/** Of a Sentinel that has voted and is not known any more. */
function stateOf(vote: Vote | undefined): SentinelState | undefined {
  if (vote === undefined) return undefined;
  return { address: vote.address, id: vote.id, up: vote.state !== 'unreachable', error: vote.error };
}
