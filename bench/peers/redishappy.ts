import { writeFileSync } from 'node:fs';
import { formatAddress } from '../../lib/model/address.ts';
import { type Consumer, namesEveryMaster, type PeersWorld, placeConsumer } from './consumer.ts';

/** Each cluster has a port in the config. The bench's template does not use it, and nothing listens there. */
const externalPort = 6379;

/** https://github.com/mdevilliers/redishappy, its `redis-haproxy`, which renders a file. */
export async function startRedishappy(world: PeersWorld, program: string): Promise<readonly Consumer[]> {
  const { sandbox, shards, sentinels } = world;
  const name = 'redishappy';
  const consumer = placeConsumer(sandbox, { label: `${name} on all Sentinels`, name });
  const { destination, marker } = consumer;
  // It refuses to start if the file does not exist.
  writeFileSync(destination, '');
  const text = '{{range .Clusters}}{{.Name}} {{.Ip}}:{{.Port}}\n{{end}}';
  const settings = {
    Clusters: shards.map((shard) => ({ Name: shard.name, ExternalPort: externalPort })),
    Sentinels: sentinels.map(({ address: { host, port } }) => ({ Host: host, Port: port })),
    HAProxy: {
      TemplatePath: sandbox.write(`${name}.tmpl`, text),
      OutputPath: destination,
      ReloadCommand: `touch ${marker}`,
    },
  };
  const config = sandbox.write(`${name}.json`, JSON.stringify(settings));
  // By default its API listens on all addresses.
  const bind = formatAddress(await sandbox.address());
  const ready = async () => namesEveryMaster(consumer, shards);
  const argv = [program, '-config', config, '-log', sandbox.folder, '-bind', bind] as const;
  await sandbox.program({ name, argv: [...argv], ready }).start();
  return [consumer];
}
