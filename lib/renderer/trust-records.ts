import type { Watches } from '../consul/watches.ts';
import { recordPrefix } from '../model/naming.ts';
import { DecidedWatches, Decisions } from './decisions.ts';
import { TrustedRecords } from './observe/trusted-records.ts';
import type { RendererOptions } from './reconciler.ts';

/** Consul's watches with this node's own decisions, and without records that Consul itself contradicts. */
export function trustRecords(options: {
  readonly watches: Watches;
  readonly environment: string | undefined;
  /** Default: none, on a node without a bridge. */
  readonly decisions?: Decisions;
}): Required<Pick<RendererOptions, 'watches' | 'heldRecords' | 'holdsRecords' | 'rememberRecords'>> {
  const { environment, decisions = new Decisions() } = options;
  const naming = { environment };
  const watches = new DecidedWatches({ watches: options.watches, decisions, prefix: recordPrefix(naming) });
  const trusted = new TrustedRecords({ watches, naming, decided: (name) => decisions.of(name) });
  return {
    watches: trusted,
    heldRecords: () => trusted.held,
    holdsRecords: () => trusted.holds,
    rememberRecords: (records) => trusted.remember(records),
  };
}
