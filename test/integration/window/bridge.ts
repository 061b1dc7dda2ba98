// A bridge in a process of its own, with an IP of its own, so that it can be killed, stopped and cut off. It reports all
// that it does over a socket, line by line. argv: BridgeOrder as JSON.
import { createConnection } from 'node:net';
import type { RunReport } from '../../../lib/loop/outcome.ts';
import { type Address, sameAddress } from '../../../lib/model/address.ts';
import type { MasterRecord } from '../../../lib/model/record.ts';
import { connectFrom } from '../../sandbox/source-address.ts';
import { startBridge } from '../support/bridging.ts';
import { type Stall, watchStalls } from './stalls.ts';

export interface BridgeOrder {
  readonly id: string;
  /** The IP that it connects from. */
  readonly host: string;
  readonly consul: Address;
  readonly sentinels: readonly Address[];
  readonly onCrash: 'failover' | 'wait';
  /** The Redis beside it: a master that it pauses if it is isolated, and whose crash it sees. */
  readonly beside?: { readonly name: string; readonly address: Address };
  /** Path of the socket that it reports to. */
  readonly socket: string;
}

/** `atMs`: milliseconds since 1970 of its beginning, which is the earliest time at which it can have been done. */
export type BridgeWord =
  | { readonly kind: 'started'; readonly id: string; readonly atMs: number }
  /** What its node knows of Consul's record, with the delay of its watch. */
  | { readonly kind: 'knows'; readonly id: string; readonly atMs: number; readonly record: MasterRecord }
  /** It has measured every replica, without which it orders no failover. */
  | { readonly kind: 'measured'; readonly id: string; readonly atMs: number }
  /** The machine did not let it run. */
  | ({ readonly kind: 'stalled'; readonly id: string } & Stall)
  | { readonly kind: 'decided'; readonly id: string; readonly atMs: number; readonly record: MasterRecord }
  | {
      readonly kind: 'ran';
      readonly id: string;
      readonly atMs: number;
      readonly loop: string;
      readonly outcome: string;
      readonly summary: string;
      /** `host:port` whose writes it paused, and whether it did so because nobody answered. */
      readonly paused?: string;
      readonly isolated?: boolean;
      /** What Consul accepted. */
      readonly written?: { readonly record: MasterRecord; readonly index: number };
    };

function toWord(id: string, { loop, outcome, startedMs }: RunReport): BridgeWord {
  const details = ('details' in outcome ? outcome.details : undefined) ?? {};
  const { record, modifyIndex } = details as { record?: MasterRecord; modifyIndex?: number };
  const { action, address, state } = details as { action?: string; address?: string; state?: string };
  const isFence = loop === 'fence' && (action === 'pause' || action === 'pause-before-promotion');
  const isIsolation = loop === 'isolation' && (state === 'isolated' || state === 'replaced');
  const isPause = outcome.kind === 'applied' && (isFence || isIsolation);
  const result = outcome as { readonly summary?: string; readonly error?: Error };
  return {
    kind: 'ran',
    id,
    atMs: wallMs(startedMs),
    loop,
    outcome: outcome.kind,
    summary: result.summary ?? result.error?.message ?? '',
    ...(isPause && address !== undefined && { paused: address, isolated: state === 'isolated' }),
    ...(record === undefined || modifyIndex === undefined ? {} : { written: { record, index: modifyIndex } }),
  };
}

/** A time of `performance.now()` on the present wall clock, which Redis' logs use too. */
function wallMs(performanceMs: number): number {
  return Date.now() - (performance.now() - performanceMs);
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const { id, host, consul, sentinels, socket, onCrash, beside }: BridgeOrder = JSON.parse(process.argv[2] ?? '{}');
  connectFrom(host);
  const line = createConnection(socket);
  line.on('error', () => process.exit(1));
  line.on('close', () => process.exit(0));
  const send = (word: BridgeWord) => line.write(`${JSON.stringify(word)}\n`);
  const local = (): readonly MasterRecord[] =>
    part.masters.records().filter(({ master }) => beside !== undefined && sameAddress(master, beside.address));
  const access = {};
  const { part } = startBridge(
    { teardown: () => undefined },
    {
      onCrash,
      localMasters: () => (beside === undefined ? [] : local().map(({ name }) => ({ name, endpoint: beside.address }))),
      localRedis: () =>
        beside === undefined
          ? []
          : [{ id: 'beside', name: beside.name, endpoint: beside.address, addresses: [beside.address], access }],
      consul: { http: consul },
      sentinels: sentinels.map((address) => ({ address })),
      id,
      resyncMs: 500,
      onReport: (report) => send(toWord(id, report)),
      onDecision: (record) => send({ kind: 'decided', id, atMs: Date.now(), record }),
    },
  );
  send({ kind: 'started', id, atMs: Date.now() });
  watchStalls((stall) => send({ kind: 'stalled', id, ...stall }));
  const known = new Map<string, string>();
  let isMeasured = false;
  setInterval(() => {
    for (const record of part.masters.records()) {
      const lags = record.replicas.map((replica) => part.masters.lag(record.name, replica)?.behindMs);
      if (!isMeasured && lags.length > 0 && lags.every((ms) => typeof ms === 'number')) {
        isMeasured = true;
        send({ kind: 'measured', id, atMs: Date.now() });
      }
      const version = `${record.generation}/${record.epoch} ${record.phase}`;
      if (known.get(record.name) === version) continue;
      known.set(record.name, version);
      send({ kind: 'knows', id, atMs: Date.now(), record });
    }
  }, 5);
}
