// The bridge beside one Redis, with an IP of its own. argv: NodeOrder as JSON. It reports over IPC, and takes the mode from there.
import type { LocalRedis } from '../../lib/bridge/part.ts';
import type { Address } from '../../lib/model/address.ts';
import type { Isolation } from '../../lib/model/instance.ts';
import { startBridge } from '../integration/support/bridging.ts';
import { nowMs } from '../sandbox/recorder.ts';
import { connectFrom } from '../sandbox/source-address.ts';

export interface NodeOrder {
  readonly id: string;
  /** The IP that it connects from. */
  readonly host: string;
  readonly consul: Address;
  readonly sentinels: readonly Address[];
  readonly name: string;
  readonly redis: Address;
  readonly isolation: Isolation;
}

export type NodeWord =
  | { readonly kind: 'report'; readonly atMs: number; readonly state: string; readonly summary: string }
  | {
      readonly kind: 'state';
      readonly master: string | undefined;
      readonly state: string | undefined;
      readonly text: string | undefined;
    };

const order: NodeOrder = JSON.parse(process.argv[2] ?? '{}');
const { id, host, consul, sentinels, name, redis } = order;
connectFrom(host);
const say = (word: NodeWord): void => void process.send?.(word);
const own: LocalRedis = { id: `redis-${redis.port}`, name, endpoint: redis, addresses: [redis], access: {} };
let isolation = order.isolation;
process.on('message', (mode: Isolation) => {
  isolation = mode;
});

const { part } = startBridge(
  { teardown: () => undefined },
  {
    consul: { http: consul },
    sentinels: sentinels.map((address) => ({ address })),
    id,
    localRedis: () => (isolation === 'pause' ? [own] : []),
    onReport: ({ loop, outcome }) => {
      if (loop !== 'isolation') return;
      const { summary = '', details } = outcome as { summary?: string; details?: { state?: string } };
      say({ kind: 'report', atMs: nowMs(), state: details?.state ?? '', summary });
    },
  },
);
setInterval(() => {
  const master = part.masters.get(name);
  const { host, port } = master?.record?.master ?? {};
  const { state, text } = master?.isolation ?? {};
  say({ kind: 'state', master: host === undefined ? undefined : `${host}:${port}`, state, text });
}, 50);
process.on('disconnect', () => process.exit(0));
