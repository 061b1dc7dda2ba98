import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import type { Decisions } from '../../../lib/consul/decisions.ts';
import { CatalogWatches } from '../../../lib/consul/watches.ts';
import type { RunReport } from '../../../lib/loop/outcome.ts';
import { formatAddress } from '../../../lib/model/address.ts';
import { externalNode, masterService, plainKey, recordKey } from '../../../lib/model/naming.ts';
import { formatRecord, type MasterRecord } from '../../../lib/model/record.ts';
import { RendererPart } from '../../../lib/renderer/part.ts';
import type { TemplateState } from '../../../lib/renderer/reconciler.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { makeRecord } from '../../template/world.ts';
import { makeSpec, type SpecInput } from './template-spec.ts';

export type { SpecInput } from './template-spec.ts';

/** A renderer on a real Consul, with the reports of its runs. */
export interface Rendering {
  readonly part: RendererPart;
  readonly watches: CatalogWatches;
  readonly reports: RunReport[];
  readonly folder: string;
  state(name?: string): TemplateState;
  /** Waits until the template is in this state. */
  until(state: TemplateState['state'], name?: string): Promise<TemplateState>;
  /** The stages of the last change of a template. Those in its state may be of a later run that changed nothing. */
  stages(name?: string): unknown;
  /** The last failed outcome of a template. A later run of one that was rolled back says only that it waits. */
  failure(name?: string): unknown;
  stop(): Promise<void>;
}

/** Starts a renderer that stops with the test. */
export function startRendering(
  t: Pick<Test, 'teardown'>,
  input: {
    consul: ConsulAgent;
    specs: readonly SpecInput[];
    /** Default: a folder of the test. */
    folder?: string;
    resyncMs?: number;
    /** Of this node's bridge. Default: there is none. */
    decisions?: Decisions;
    /** `on`: templates with `rolling` queue. */
    queue?: 'on' | 'off';
  },
): Rendering {
  const folder = input.folder ?? makeFolder(t);
  const { host, port } = input.consul.http;
  const client = new ConsulClient({ host, port });
  const watches = new CatalogWatches({ client, limits: { backoff: { initialMs: 20, maxMs: 200 } } });
  const reports: RunReport[] = [];
  const specs = input.specs.map((spec) => makeSpec(folder, spec));
  const part = new RendererPart({
    specs,
    environment: undefined,
    watches,
    resyncMs: input.resyncMs ?? 1_000,
    ...(input.decisions === undefined ? {} : { decisions: input.decisions }),
    ...(input.queue === 'on' ? { rolling: { client, holder: 'test', ttlMs: 1_000 } } : {}),
    onReport: (report) => reports.push(report),
  });
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= part
      .stop({ graceMs: 100 })
      .then(() => watches.close())
      .then(() => client.close());
    return stopping;
  };
  t.teardown(stop);
  part.start();
  const first = specs[0]?.name ?? '';
  const state = (name = first) => part.renderer.template(name) as TemplateState;
  return {
    part,
    watches,
    reports,
    folder,
    state,
    until: (wanted, name = first) =>
      waitFor(`template ${name} to be ${wanted}`, () => state(name), {
        until: (now) => now.state === wanted,
        intervalMs: 2,
      }),
    stages: (name = first) =>
      reports.findLast(({ key, outcome }) => key === name && outcome.kind === 'applied')?.outcome.details?.stages,
    failure: (name = first) =>
      reports.findLast(({ key, outcome }) => key === name && outcome.kind === 'failed')?.outcome,
    stop,
  };
}

/** A folder that is removed after everything that the test started has stopped. tap's own is removed before that. */
export function makeFolder(t: Pick<Test, 'teardown'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'switchmaster-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function putRecord(consul: ConsulAgent, over: Partial<MasterRecord> = {}): Promise<void> {
  const record = makeRecord(over);
  await consul.putKey(`redis/record/${record.name}`, formatRecord(record));
}

/** Writes what a bridge writes in one transaction: the record, the plain keys and the service. */
export async function publish(consul: ConsulAgent, over: Partial<MasterRecord> = {}): Promise<void> {
  const record = makeRecord(over);
  const { name, master, epoch } = record;
  const naming = { environment: undefined };
  const plain = plainKey(naming, name);
  const keys: readonly (readonly [string, string])[] = [
    [recordKey(naming, name), formatRecord(record)],
    [plain, formatAddress(master)],
    [`${plain}/host`, master.host],
    [`${plain}/port`, String(master.port)],
    [`${plain}/epoch`, String(epoch)],
  ];
  const sets = keys.map(([Key, value]) => ({ KV: { Verb: 'set', Key, Value: Buffer.from(value).toString('base64') } }));
  const Node = externalNode(naming, name);
  const service = { ID: masterService, Service: masterService, Address: master.host, Port: master.port, Tags: [name] };
  await consul.put('/v1/txn', [
    ...sets,
    { Node: { Verb: 'set', Node: { Node, Address: master.host } } },
    { Service: { Verb: 'set', Node, Service: service } },
  ]);
}

export function command(...argv: string[]) {
  return { kind: 'command', command: { argv } } as const;
}

/** argv of a shell script. */
export function sh(script: string): string[] {
  return ['/bin/sh', '-c', script];
}

/** The largest number of simultaneous reloads in a log of `+` for each start and `-` for each end. */
export function mostAtOnce(log: string): number {
  let now = 0;
  let most = 0;
  for (const line of log.trim().split('\n')) {
    now += line === '+' ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}
