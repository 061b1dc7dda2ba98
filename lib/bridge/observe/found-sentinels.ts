import type { CatalogWatches, Follow } from '../../consul/watches.ts';
import type { Address } from '../../model/address.ts';
import type { Naming } from '../../model/naming.ts';

/** The Sentinels that Consul lists under a service, whatever their health: a dead Sentinel counts in every majority. */
export class FoundSentinels {
  readonly #follow: Follow<{ kind: 'service'; service: string }>;

  constructor(options: {
    readonly watches: CatalogWatches;
    readonly naming: Naming;
    readonly service: string;
    readonly onFound: (addresses: readonly Address[]) => void;
  }) {
    const { watches, naming, service, onFound } = options;
    const { environment } = naming;
    const found = () => {
      const { state } = this.#follow;
      if (state.kind !== 'current') return;
      const ours = state.value.filter(({ tags }) => environment === undefined || tags.includes(environment));
      onFound(ours.map(({ address: host, port }) => ({ host, port })));
    };
    this.#follow = watches.follow({ kind: 'service', service }, found);
  }

  release(): void {
    this.#follow.release();
  }
}
