import { performance } from 'node:perf_hooks';
import type { ConsulClient } from '../client/consul.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import type { DesiredView } from '../http/views.ts';
import type { NewHint } from '../loop/hint.ts';
import { Loop } from '../loop/loop.ts';
import type { RunReport } from '../loop/outcome.ts';
import { type Address, formatAddress } from '../model/address.ts';
import type { Naming } from '../model/naming.ts';
import type { SentinelVoter } from '../model/sentinel.ts';
import type { Part, Readiness } from '../part.ts';
import { ProvisioningSource } from './observe.ts';
import { Provisioner } from './reconciler.ts';
import { type ProvisioningHint, Removals } from './removals.ts';

export interface ProvisioningPartOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  /** Every Sentinel that the bridge knows. */
  readonly sentinels: () => readonly Address[];
  /** The Sentinels with a say about a master. */
  readonly voters: (master: string) => readonly SentinelVoter[];
  readonly sentinelAccess: RedisAccess;
  /** The credentials with which Sentinels log in to the masters. */
  readonly redisAccess: RedisAccess;
  readonly matches: (master: string) => boolean;
  /** Knows why nothing may be ordered about a master now. undefined where the bridge does not run. */
  readonly maintenance: { readonly whyNotProvision: (master: string) => string | undefined };
  readonly resyncMs: number;
  readonly onReport: (report: RunReport) => void;
}

/** Makes every Sentinel monitor what `desired/` says. It runs beside every bridge. */
export class ProvisioningPart implements Part {
  readonly name = 'provisioner';
  readonly desired: DesiredView = { list: () => [...(this.#source.read()?.desired.keys() ?? [])].toSorted() };
  readonly #source: ProvisioningSource;
  readonly #loop: Loop<ProvisioningHint>;
  readonly #removals = new Removals();

  constructor(options: ProvisioningPartOptions) {
    const { client, naming, watches, sentinels, voters, redisAccess, matches } = options;
    this.#source = new ProvisioningSource({
      watches,
      naming,
      access: options.sentinelAccess,
      onChange: () => this.#wake({ source: 'consul', event: 'changed' }),
    });
    const { username, password } = redisAccess;
    const credentials = {
      ...(username === undefined ? {} : { 'auth-user': username }),
      ...(password === undefined ? {} : { 'auth-pass': password }),
    };
    const whyNot = (name: string) => options.maintenance.whyNotProvision(name);
    this.#loop = new Loop({
      reconciler: new Provisioner({
        client,
        naming,
        source: this.#source,
        sentinels,
        voters,
        matches,
        whyNot,
        credentials,
      }),
      resyncMs: options.resyncMs,
      backoff: { initialMs: 200, maxMs: 10_000 },
      onReport: options.onReport,
    });
  }

  start(): void {
    this.#wake({ source: 'consul', event: 'start' });
  }

  async stop(options: { readonly graceMs: number }): Promise<void> {
    await this.#loop.stop(options);
    this.#source.release();
  }

  /** Always ready: most fleets have no `desired/`. */
  ready(): Readiness {
    return { ready: true };
  }

  state(): unknown {
    const reading = this.#source.read();
    return { desired: [...(reading?.desired.keys() ?? [])], provisioned: [...(reading?.provisioned.keys() ?? [])] };
  }

  /** A Sentinel is connected, and may know other masters than before. */
  sentinelConnected(sentinel: Address): void {
    this.#loop.wakeAll({ source: `sentinel ${formatAddress(sentinel)}`, event: 'connected' });
  }

  /** A Sentinel monitors a master no more. */
  sentinelRemoved(name: string, sentinel: Address): void {
    if (!this.#loop.keys.includes(name)) return;
    const delayMs = this.#removals.delayMs(name, performance.now());
    this.#loop.wake(name, {
      source: `sentinel ${formatAddress(sentinel)}`,
      event: '-monitor',
      kind: 'removed',
      delayMs,
    });
  }

  #wake(hint: NewHint): void {
    const reading = this.#source.read();
    const names = new Set([...(reading?.desired.keys() ?? []), ...(reading?.provisioned.keys() ?? [])]);
    for (const name of names) this.#loop.wake(name, hint);
    for (const name of this.#loop.keys) if (!names.has(name)) this.#loop.retire(name);
  }
}
