import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { type Consumer, type PeersWorld, placeConsumer } from './consumer.ts';
import { nutcrackerConfig, poolName } from './nutcracker-config.ts';

/** https://github.com/areina/smitty */
export async function startSmitty(
  { sandbox, shards, leader }: PeersWorld,
  program: string,
): Promise<readonly Consumer[]> {
  const name = 'smitty';
  const consumer = placeConsumer(sandbox, { label: `${name} on one Sentinel`, name });
  // At its start it asks for one master only, so the file must already name the others.
  writeFileSync(consumer.destination, nutcrackerConfig(shards));
  // The restart command has no arguments.
  const restart = sandbox.write(`${name}-restart.sh`, `#!/bin/sh\nexec touch ${consumer.marker}\n`);
  chmodSync(restart, 0o755);
  const log = sandbox.path(`${name}-events.log`);
  const settings = {
    twemproxy_pool_name: poolName,
    twemproxy_config_file: consumer.destination,
    sentinel_ip: leader.address.host,
    sentinel_port: String(leader.address.port),
    restart_command: restart,
    log_file: log,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}: "${value}"`);
  const config = sandbox.write(`${name}.yml`, `${lines.join('\n')}\n`);
  // With `-verbose` its log shows when it is subscribed.
  const ready = async () => readFileSync(log, 'utf8').includes('+switch-master: subscribe');
  await sandbox.program({ name, argv: [program, '-c', config, '-verbose'], ready }).start();
  return [consumer];
}
