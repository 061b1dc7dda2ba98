import type { ConsulClient } from '../client/consul.ts';
import { SwitchmasterError } from '../errors.ts';
import type { MaintenanceOrder, MaintenanceResult, MaintenanceState } from '../http/views.ts';
import { holdsWithin } from '../loop/stages.ts';
import { formatNote, type MaintenanceNote, type MaintenanceScope, trackMaintenance } from '../model/maintenance.ts';
import { maintenanceKey } from '../model/maintenance-keys.ts';
import type { Naming } from '../model/naming.ts';
import type { MaintenanceSource } from './source.ts';
import { toMaintenanceState } from './view.ts';

export interface MaintenanceOrdersOptions {
  readonly client: ConsulClient;
  readonly naming: Naming;
  readonly source: Pick<MaintenanceSource, 'all'>;
  readonly names: () => readonly string[];
}

const timeoutMs = 5_000;
/** How long the answer waits until this node's own watch has the change. */
const seenWithinMs = 3_000;
const pollMs = 5;

/** Begins and ends maintenance by its keys in Consul. */
export class MaintenanceOrders {
  readonly #options: MaintenanceOrdersOptions;

  constructor(options: MaintenanceOrdersOptions) {
    this.#options = options;
  }

  /** Resolves when this daemon keeps to it. Rejects with `not-found` for maintenance of a master or a cluster that it does not follow. */
  async carryOut(order: MaintenanceOrder): Promise<MaintenanceResult> {
    const { client, naming } = this.#options;
    const { state, scope, dryRun } = order;
    if (state === 'on') this.#requireKnown(scope);
    const key = maintenanceKey(naming, scope);
    const { value: entry } = await client.read({ kind: 'key', key }, { consistency: 'consistent', timeoutMs });
    const before = entry === undefined ? null : this.#show(scope, entry.value);
    if (state === 'off') {
      if (entry === undefined) return { changed: false, before: null, after: null };
      if (dryRun !== true) await this.#write({ kind: 'kv-delete', key }, { scope, text: undefined });
      return { changed: true, before, after: null };
    }
    const text = formatNote(toNote(order));
    if (dryRun !== true) await this.#write({ kind: 'kv-set', key, value: text }, { scope, text });
    return { changed: true, before, after: this.#show(scope, text) };
  }

  async #write(
    operation: Parameters<ConsulClient['transact']>[0][number],
    wanted: { readonly scope: MaintenanceScope; readonly text: string | undefined },
  ): Promise<void> {
    await this.#options.client.transact([operation], { timeoutMs });
    const isSeen = async () => this.#options.source.all.get(wanted.scope)?.text === wanted.text;
    await holdsWithin(isSeen, { timeoutMs: seenWithinMs, pollMs });
  }

  /** As this daemon has it, or would have it from now on. */
  #show(scope: MaintenanceScope, text: string): MaintenanceState | null {
    const nowMs = performance.now();
    const all = trackMaintenance(this.#options.source.all, new Map([[scope, text]]), { nowMs, wallMs: Date.now() });
    const maintenance = all.get(scope);
    return maintenance === undefined ? null : toMaintenanceState({ scope, maintenance }, nowMs);
  }

  #requireKnown(scope: MaintenanceScope): void {
    const names = this.#options.names();
    if (scope === null || names.includes(scope)) return;
    throw new SwitchmasterError(
      'not-found',
      `No master or cluster is called ${scope} (known: ${names.join(', ') || 'none'}).`,
    );
  }
}

function toNote({ by, reason, forMs }: MaintenanceOrder): Omit<MaintenanceNote, 'fault'> {
  const nowMs = Date.now();
  const until = forMs === undefined ? null : new Date(nowMs + forMs).toISOString();
  return { by, at: new Date(nowMs).toISOString(), until, reason: reason ?? null };
}
