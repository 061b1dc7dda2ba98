import { recordPrefix } from '../model/naming.ts';
import type { UntrustedRecord } from '../model/trust.ts';
import { DecidedWatches, Decisions } from './decisions.ts';
import { type FormerRecords, TrustedRecords } from './trusted-records.ts';
import type { Watches } from './watches.ts';

export interface TrustedWatches {
  readonly watches: Watches;
  /** The masters whose records have not been followed for some time. */
  readonly heldRecords: () => readonly UntrustedRecord[];
  /** Whether any record is not followed now, reported or not. */
  readonly holdsRecords: () => boolean;
  /** Takes over what a daemon before this one followed. */
  readonly rememberRecords: (former: FormerRecords) => void;
}

/** Consul's watches with this node's own decisions, and without records that Consul itself contradicts. */
export function trustRecords(options: {
  readonly watches: Watches;
  readonly environment: string | undefined;
  /** Default: none, on a node without a bridge. */
  readonly decisions?: Decisions;
}): TrustedWatches {
  const { environment, decisions = new Decisions() } = options;
  const naming = { environment };
  const watches = new DecidedWatches({ watches: options.watches, decisions, prefix: recordPrefix(naming) });
  const trusted = new TrustedRecords({ watches, naming, decided: (name) => decisions.of(name) });
  return {
    watches: trusted,
    heldRecords: () => trusted.held,
    holdsRecords: () => trusted.holds,
    rememberRecords: (former) => trusted.remember(former),
  };
}
