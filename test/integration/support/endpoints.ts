import type { BridgePart } from '../../../lib/bridge/part.ts';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { EndpointConfig } from '../../../lib/config/model.ts';
import { Decisions } from '../../../lib/consul/decisions.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import { type EndpointHandover, EndpointPart } from '../../../lib/endpoint/part.ts';
import { Handover } from '../../../lib/listening.ts';
import type { Address } from '../../../lib/model/address.ts';
import { makeLog } from '../../../lib/telemetry/log.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { TestLike } from '../../sandbox/sandbox.ts';
import { stopWith } from './stopping.ts';

export interface EndpointSetup {
  readonly consul: Pick<ConsulAgent, 'http'>;
  readonly settings?: Partial<EndpointConfig>;
  readonly decisions?: Decisions;
  readonly environment?: string;
  readonly failOver?: (name: string) => Promise<unknown>;
  /** Keeps the server for the next part. Default: one of its own. */
  readonly handover?: EndpointHandover;
  /** The bridge of the same node. */
  readonly bridge?: BridgePart;
}

export interface RunningEndpoint {
  readonly part: EndpointPart;
  readonly address: Address;
  /** What it logged as an error. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** An endpoint in this process that listens, and stops with the test. */
export async function startEndpoint(t: Pick<TestLike, 'teardown'>, setup: EndpointSetup): Promise<RunningEndpoint> {
  const { consul, settings, environment, decisions = new Decisions(), failOver = async () => {}, bridge } = setup;
  const client = new ConsulClient(consul.http);
  const watches = new CatalogWatches({ client });
  const given = { listen: { host: '127.0.0.1', port: 0 }, maxConnections: 10_000, idleMs: 3_600_000 };
  const lines: string[] = [];
  const part = new EndpointPart({
    settings: { ...given, ...settings },
    client,
    watches,
    naming: { environment },
    decisions,
    version: '0',
    failOver,
    sentinels: (name) => bridge?.masters.views(name) ?? [],
    onReport: () => {},
    handover: setup.handover ?? new Handover(),
    log: makeLog({ level: 'error', format: 'json', stream: { write: (line) => void lines.push(line) } }),
  });
  const stop = stopWith(t, { part, watches, client });
  await part.start();
  const port = await waitFor('the endpoint to listen', () => part.port, { until: (bound) => bound !== undefined });
  return { part, lines, address: { host: settings?.listen?.host ?? '127.0.0.1', port: port ?? 0 }, stop };
}
