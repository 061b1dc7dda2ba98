import { type Address, sameAddress } from '../../model/address.ts';
import { majorityOf } from '../../model/epoch.ts';
import type { SentinelView } from '../../model/sentinel.ts';

/** The Sentinels that answered, out of how many. */
export interface Votes {
  readonly views: readonly SentinelView[];
  readonly knownSentinels: number;
}

/** The view with the highest epoch, and at that epoch the address that most Sentinels name. */
export function bestOf(views: readonly SentinelView[]): SentinelView | undefined {
  let best: SentinelView | undefined;
  for (const view of views) {
    if (best === undefined || view.configEpoch > best.configEpoch) best = view;
    else if (view.configEpoch === best.configEpoch && votesFor(view, views) > votesFor(best, views)) best = view;
  }
  return best;
}

/** Views of another master at the same epoch. */
export function conflictingViews(best: SentinelView, views: readonly SentinelView[]): readonly SentinelView[] {
  return views.filter((view) => view.configEpoch === best.configEpoch && !sameAddress(view.master, best.master));
}

/** True where more than half of all Sentinels name this master at this epoch. */
export function hasMajority(candidate: Candidate, votes: Votes): boolean {
  return votesFor(candidate, votes.views) >= majorityOf(knownSentinels(votes));
}

/** True where more than half of all Sentinels answered, whatever they name. */
export function majorityAnswers(votes: Votes): boolean {
  return votes.views.length >= majorityOf(knownSentinels(votes));
}

/**
 * Sentinel counts its majority among all the Sentinels that it has ever met, including dead ones, and so does the bridge. A
 * Sentinel that was just rebuilt has met no other and would be a majority by itself, so those that the bridge knows count
 * too.
 */
export function knownSentinels({ views, knownSentinels: known }: Votes): number {
  return Math.max(known, views.length, ...views.map((view) => view.knownSentinels));
}

interface Candidate {
  readonly master: Address;
  readonly configEpoch: number;
}

function votesFor(candidate: Candidate, views: readonly SentinelView[]): number {
  return views.filter(
    (view) => view.configEpoch === candidate.configEpoch && sameAddress(view.master, candidate.master),
  ).length;
}
