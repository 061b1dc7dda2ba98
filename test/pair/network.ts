import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NumberWriter, persistentClient } from '../integration/support/writing.ts';
import { guideAddresses } from './guide.ts';

const run = promisify(execFile);

export const bridge = { name: 'pair', address: '10.0.0.1' } as const;
/** Consul, Redis and Sentinel are at the other end of the hosts' default route. */
export const serverNetwork = '10.0.1';

/** A bridge to which the hosts have their links, and the whole network of the servers at the loopback interface. */
export async function layNetwork(): Promise<void> {
  const commands = [
    ['link', 'add', bridge.name, 'type', 'bridge'],
    ['address', 'add', `${bridge.address}/24`, 'dev', bridge.name],
    ['link', 'set', bridge.name, 'up'],
    ['route', 'add', 'local', `${serverNetwork}.0/24`, 'dev', 'lo'],
  ];
  for (const command of commands) await run('ip', command);
}

/** It connects to the shared address alone, and writes all the time. */
export function applicationAtTheAddress(): NumberWriter {
  const shared = { host: guideAddresses.shared, port: guideAddresses.port };
  const client = persistentClient(() => shared);
  return new NumberWriter({ name: 'application', key: 'numbers', client, pauseMs: 20 });
}
