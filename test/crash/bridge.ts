// A bridge with an IP of its own, that orders failovers of crashed masters. argv: BridgeOrder as JSON. It reports over IPC.
import type { Address } from '../../lib/model/address.ts';
import { startBridge } from '../integration/support/bridging.ts';
import { connectFrom } from '../sandbox/source-address.ts';

export interface BridgeOrder {
  readonly id: string;
  /** The IP that it connects from. */
  readonly host: string;
  readonly consul: Address;
  readonly sentinels: readonly Address[];
  readonly name: string;
  readonly crashAfterMs: number;
}

export type BridgeWord =
  | { readonly kind: 'crash'; readonly outcome: string; readonly summary: string; readonly details: unknown }
  /** Its record's master as `host:port`, and whether it could judge a crash: it has measured a replica as in step. */
  | { readonly kind: 'state'; readonly master: string; readonly measured: boolean };

const { id, host, consul, sentinels, name, crashAfterMs }: BridgeOrder = JSON.parse(process.argv[2] ?? '{}');
connectFrom(host);
const say = (word: BridgeWord): void => void process.send?.(word);

const { part } = startBridge(
  { teardown: () => undefined },
  {
    consul: { http: consul },
    sentinels: sentinels.map((address) => ({ address })),
    id,
    onCrash: 'failover',
    crashAfterMs,
    onReport: ({ loop, outcome }) => {
      if (loop !== 'crash') return;
      const { summary = '', details } = outcome as { summary?: string; details?: unknown };
      say({ kind: 'crash', outcome: outcome.kind, summary, details });
    },
  },
);
setInterval(() => {
  const record = part.masters.get(name)?.record ?? undefined;
  if (record === undefined) return;
  const lags = record.replicas.map((replica) => part.masters.lag(name, replica)?.behindMs);
  const measured = lags.length > 0 && lags.every((ms) => typeof ms === 'number' && ms < 5_000);
  say({ kind: 'state', master: `${record.master.host}:${record.master.port}`, measured });
}, 50);
process.on('disconnect', () => process.exit(0));
