import { writeFileSync } from 'node:fs';
import { type Consumer, namesEveryMaster, type PeersWorld, placeConsumer } from './consumer.ts';
import { nutcrackerConfig } from './nutcracker-config.ts';

/** No server has it, so the file names the masters only after the agent has read them from Sentinel. */
const unusedPort = 1;

/** https://github.com/Stono/redis-twemproxy-agent. Its program needs Node before 12: it calls `util.puts`. */
export async function startRedisTwemproxyAgent(world: PeersWorld, program: string): Promise<readonly Consumer[]> {
  const { sandbox, shards, leader } = world;
  const name = 'redis-twemproxy-agent';
  const consumer = placeConsumer(sandbox, { label: `${name} on one Sentinel`, name });
  const { destination, marker } = consumer;
  writeFileSync(destination, nutcrackerConfig(shards, { port: unusedPort }));
  const { host, port } = leader.address;
  const options = {
    host,
    port: String(port),
    config: destination,
    command: `touch ${marker}`,
    log: sandbox.path(`${name}-events.log`),
  };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  const ready = async () => namesEveryMaster(consumer, shards);
  await sandbox.program({ name, argv: [program, ...args], ready }).start();
  return [consumer];
}
