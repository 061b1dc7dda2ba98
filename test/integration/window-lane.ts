// Rounds, one after the other, in a network of its own: started by window-lanes.ts, which sends what to run.
import { Links } from '../sandbox/links.ts';
import { Sandbox } from '../sandbox/sandbox.ts';
import { type Ground, runWindow } from './window.ts';
import type { WindowCase } from './window-cases.ts';
import type { WindowResult } from './window-scene.ts';

export interface LaneOrder {
  readonly number: number;
  readonly window: WindowCase;
}

export type LaneAnswer = { readonly number: number } & ({ readonly result: WindowResult } | { readonly error: string });

const links = await Links.open();
let raft: Promise<Pick<Ground, 'consul' | 'consulServers'>> | undefined;

async function run({ number, window }: LaneOrder): Promise<LaneAnswer> {
  const sandbox = await Sandbox.open({ name: `window-${number}` });
  try {
    const consul = await consulFor(window, sandbox);
    return { number, result: await runWindow({ sandbox, links, ...consul }, { name: `w${number}`, window }) };
  } catch (error) {
    return { number, error: String(error) };
  } finally {
    await sandbox.close();
  }
}

/** A dev agent; where the fault is about Consul's leader, a client of three servers, which last as long as the lane. */
async function consulFor(window: WindowCase, sandbox: Sandbox): Promise<Pick<Ground, 'consul' | 'consulServers'>> {
  if (window.fault.who !== 'Consul leader') return { consul: await sandbox.consul(), consulServers: [] };
  raft ??= startRaft();
  return raft;
}

async function startRaft(): Promise<Pick<Ground, 'consul' | 'consulServers'>> {
  const sandbox = await Sandbox.open({ name: 'window-raft' });
  const consulServers = await sandbox.consulServers();
  return { consul: await sandbox.consulClient({ join: consulServers }), consulServers };
}

process.on('message', (order: LaneOrder) => {
  void run(order).then((answer) => process.send?.(answer));
});
// The sandboxes' reapers see to what runs when this process ends.
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
