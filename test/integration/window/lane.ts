// Rounds, one after the other, in a network of its own. lanes.ts starts it and sends the rounds.
import type { ConsulAgent } from '../../sandbox/consul.ts';
import { Links } from '../../sandbox/links.ts';
import { Sandbox } from '../../sandbox/sandbox.ts';
import type { WindowCase } from './cases.ts';
import type { WindowResult } from './scene.ts';
import { type Ground, runWindow } from './window.ts';

export interface LaneOrder {
  readonly number: number;
  readonly window: WindowCase;
}

export type LaneAnswer = { readonly number: number } & ({ readonly result: WindowResult } | { readonly error: string });

const links = await Links.open();
let raft: Promise<Pick<Ground, 'consul' | 'consulServers'>> | undefined;
let agent: Promise<ConsulAgent> | undefined;

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

/**
 * What lives as long as the lane: a dev agent, or a client of three servers if the fault concerns their leader. The round has an
 * agent of its own if the fault concerns Consul as a whole, or if bridges judge crashes: Consul lists those of former rounds for a while.
 */
async function consulFor(window: WindowCase, sandbox: Sandbox): Promise<Pick<Ground, 'consul' | 'consulServers'>> {
  if (window.fault.who === 'Consul leader') {
    raft ??= startRaft();
    return raft;
  }
  if (window.fault.who === 'Consul' || window.onCrash === 'failover')
    return { consul: await sandbox.consul(), consulServers: [] };
  agent ??= Sandbox.open({ name: 'window-consul' }).then((lasting) => lasting.consul());
  return { consul: await agent, consulServers: [] };
}

async function startRaft(): Promise<Pick<Ground, 'consul' | 'consulServers'>> {
  const sandbox = await Sandbox.open({ name: 'window-raft' });
  const consulServers = await sandbox.consulServers();
  return { consul: await sandbox.consulClient({ join: consulServers }), consulServers };
}

process.on('message', (order: LaneOrder) => {
  void run(order).then((answer) => process.send?.(answer));
});
// The sandboxes' reapers end what still runs when this process ends.
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
