// A bridge with an IP of its own, that orders failovers of crashed masters. argv: BridgeOrder as JSON. It reports over IPC.
import type { RunReport } from '../../lib/loop/outcome.ts';
import { type Address, formatAddress } from '../../lib/model/address.ts';
import { startBridge } from '../integration/support/bridging.ts';
import { startFollower } from '../integration/support/clustering.ts';
import { connectFrom } from '../sandbox/source-address.ts';

export type BridgeOrder = {
  readonly id: string;
  /** The IP that it connects from. */
  readonly host: string;
  readonly consul: Address;
  readonly crashAfterMs: number;
} & (
  | { readonly kind: 'sentinel'; readonly sentinels: readonly Address[] }
  | { readonly kind: 'cluster'; readonly name: string; readonly seeds: readonly Address[] }
);

export type BridgeWord =
  /** `summary` begins with the master's address. `atMs`: when it was reported, in milliseconds since the epoch. */
  | {
      readonly kind: 'crash';
      readonly atMs: number;
      readonly outcome: string;
      readonly summary: string;
      readonly details: unknown;
    }
  /** The masters by its records as `host:port`, as far as it could judge a crash: it has measured a replica as in step. */
  | { readonly kind: 'state'; readonly masters: readonly string[] };

const order: BridgeOrder = JSON.parse(process.argv[2] ?? '{}');
const { id, host, crashAfterMs } = order;
connectFrom(host);
const say = (word: BridgeWord): void => void process.send?.(word);
const t = { teardown: () => undefined };
const consul = { http: order.consul };

function onReport({ loop, outcome }: RunReport): void {
  if (loop !== 'crash' && loop !== 'cluster-crash') return;
  const { summary = '', details } = outcome as { summary?: string; details?: unknown };
  say({ kind: 'crash', atMs: Date.now(), outcome: outcome.kind, summary, details });
}

function startWithSentinels({ sentinels }: Extract<BridgeOrder, { kind: 'sentinel' }>): () => readonly string[] {
  const addresses = sentinels.map((address) => ({ address }));
  const { part } = startBridge(t, { consul, sentinels: addresses, id, onCrash: 'failover', crashAfterMs, onReport });
  return () =>
    [...part.masters.records()].flatMap(({ name, master, replicas }) => {
      const lags = replicas.map((replica) => part.masters.lag(name, replica)?.behindMs);
      const isMeasured = lags.length > 0 && lags.every((ms) => typeof ms === 'number' && ms < 5_000);
      return isMeasured ? [formatAddress(master)] : [];
    });
}

function startInCluster({ name, seeds }: Extract<BridgeOrder, { kind: 'cluster' }>): () => readonly string[] {
  const clusters = [{ name, seeds, onCrash: 'failover', crashAfterMs }] as const;
  const { part } = startFollower(t, { consul: { http: order.consul }, id, clusters, settled: 'by-cluster', onReport });
  return () => {
    const { record, nodes } = part.list()[0] ?? { record: null, nodes: [] };
    const shards = record?.shards ?? [];
    const isComplete = shards.length > 0 && nodes.length >= 2 * shards.length;
    return isComplete ? shards.flatMap(({ master }) => (master === null ? [] : formatAddress(master))) : [];
  };
}

const masters = order.kind === 'sentinel' ? startWithSentinels(order) : startInCluster(order);
setInterval(() => say({ kind: 'state', masters: masters() }), 50);
process.on('disconnect', () => process.exit(0));
