import { type Address, compareAddresses, formatAddress, isIn, isIpAddress, sameAddress } from './address.ts';
import type { MasterRecord } from './record.ts';
import type { SentinelView } from './sentinel.ts';

/*
 * One process with several names. Some Sentinels announce hostnames and others addresses, and a Sentinel that was
 * configured by a hostname keeps it while its replicas are known by address. The run id (INFO) proves that two names lead to
 * one process. Everything that the bridge decides on then has one address for it.
 */

/** An address and the run id of the process there, by one source. */
export interface Named {
  readonly address: Address;
  readonly runId: string | undefined;
}

/** What one source said of one address, and what it said before the process there restarted. */
interface Known {
  readonly address: Address;
  readonly runId: string;
  readonly former: { readonly runId: string; readonly untilMs: number } | undefined;
}

/** A Sentinel reads INFO every 10 s: for that long, two of them may know the run ids before and after a restart. */
const restartMs = 30_000;

/** What the Sentinels, and the bridge itself, said of the processes of one master. */
export class Aliases {
  /** Lists, each address once in each: a thousand masters have thousands of them, of one to three addresses each. */
  readonly #sources = new Map<string, readonly Known[]>();

  /** Replaces what `source` said before. */
  learn(source: string, named: readonly Named[], nowMs: number): void {
    const before = byAddress(this.#sources.get(source) ?? []);
    const known = new Map<string, Known>();
    for (const { address, runId } of named) {
      const key = formatAddress(address);
      const last = before.get(key);
      if (runId === undefined || last?.runId === runId) {
        if (last !== undefined) known.set(key, last);
      } else {
        const former = last === undefined ? undefined : { runId: last.runId, untilMs: nowMs + restartMs };
        known.set(key, { address, runId, former });
      }
    }
    this.#sources.set(source, Array.from(known.values()));
  }

  /** The one address of the process at `address`: the record's, else the one that most Sentinels use, an IP address before a hostname. */
  canonical(address: Address, at: { readonly record: MasterRecord | undefined; readonly nowMs: number }): Address {
    const group = this.#namesOf(address, at.nowMs);
    if (group.length === 1) return address;
    const { record } = at;
    const recorded = record === undefined ? [] : [record.master, ...record.replicas];
    return recorded.find((one) => isIn(group, one)) ?? this.#preferred(group);
  }

  /** Every name of the process at `address`, itself first. */
  #namesOf(address: Address, nowMs: number): readonly Address[] {
    const all = [...this.#sources.values()].flat();
    const group = [address];
    for (const name of group) {
      const ids = all.filter((known) => sameAddress(known.address, name)).flatMap((known) => idsOf(known, nowMs));
      const others = all.filter((known) => idsOf(known, nowMs).some((id) => ids.includes(id)));
      for (const other of others) if (!isIn(group, other.address)) group.push(other.address);
    }
    return group;
  }

  #preferred(group: readonly Address[]): Address {
    const votes = (address: Address) => {
      const text = formatAddress(address);
      const names = (known: readonly Known[]) => known.some((one) => formatAddress(one.address) === text);
      return [...this.#sources.values()].filter(names).length;
    };
    const rank = (address: Address) => (isIpAddress(address.host) ? 0 : 1);
    const sorted = group.toSorted((a, b) => votes(b) - votes(a) || rank(a) - rank(b) || compareAddresses(a, b));
    return sorted[0] as Address;
  }
}

/** What a Sentinel's view says of the processes. */
export function namedIn(view: SentinelView): readonly Named[] {
  const replicas = view.replicas.map(({ address, runId }) => ({ address, runId }));
  return [{ address: view.master, runId: view.masterRunId }, ...replicas];
}

/** The view with one address for each process, and each process once. */
export function canonicalize(view: SentinelView, canonical: (address: Address) => Address): SentinelView {
  const master = canonical(view.master);
  const replicas: SentinelView['replicas'][number][] = [];
  for (const replica of view.replicas) {
    const address = canonical(replica.address);
    if (sameAddress(address, master)) continue;
    const same = replicas.findIndex((other) => sameAddress(other.address, address));
    if (same === -1) replicas.push({ ...replica, address });
    else if (replica.condition === 'up') replicas[same] = { ...replica, address };
  }
  const { promoting, election } = view;
  return {
    ...view,
    master,
    // As long as it is: the list above has room for more, and the daemon keeps each view until the next one.
    replicas: replicas.slice(),
    ...(promoting === undefined ? {} : { promoting: canonical(promoting) }),
    ...(election === undefined ? {} : { election: { ...election, selected: canonical(election.selected) } }),
  };
}

/**
 * The masters that one epoch has several of, or that the record and the Sentinels name for its epoch: an election cannot
 * cause that, but two names of one process can.
 */
export function contested(views: readonly SentinelView[], record: MasterRecord | undefined): readonly Address[] {
  const named = views
    .filter(({ condition }) => condition !== 'failover')
    .map(({ configEpoch, master }) => ({ epoch: configEpoch, master }));
  if (record !== undefined) named.push({ epoch: record.epoch, master: record.master });
  const disputed = named.filter((one) =>
    named.some((other) => other.epoch === one.epoch && !sameAddress(other.master, one.master)),
  );
  return [...new Map(disputed.map(({ master }) => [formatAddress(master), master])).values()];
}

function byAddress(known: readonly Known[]): ReadonlyMap<string, Known> {
  return new Map(known.map((one) => [formatAddress(one.address), one]));
}

function idsOf({ runId, former }: Known, nowMs: number): readonly string[] {
  return former === undefined || former.untilMs < nowMs ? [runId] : [runId, former.runId];
}
