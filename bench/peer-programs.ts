import { chmodSync, readFileSync } from 'node:fs';
import { formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';
import { consulTemplateVersion, installConsulTemplate, launchConsulTemplate } from './consul-template.ts';

/** A file that follows the masters, and what its reload touches. */
export interface Consumer {
  readonly label: string;
  readonly marker: string;
  readonly readText: () => string;
}

interface Peers {
  /** switchmaster first. */
  readonly consumers: readonly Consumer[];
  readonly shards: readonly Shard[];
  readonly sentinels: readonly SentinelServer[];
}

interface Job {
  readonly shardCount: number;
  readonly logLine: (line: string) => void;
}

/** Where Sentinel's script writes. */
const scriptPrefix = 'script';
const scriptLabel = 'client-reconfig-script with curl';

/** Starts servers, switchmaster and the programs to compare it with. */
export async function startPeers(sandbox: Sandbox, job: Job): Promise<Peers> {
  const program = await installConsulTemplate(job.logLine);
  job.logLine(`starting ${job.shardCount} shards, 3 Sentinels and Consul`);
  const names = Array.from({ length: job.shardCount }, (_, n) => `shard${n}`);
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map((name) => sandbox.redis({ name }))]);
  const script = writeScript(sandbox, consul);
  const lines = names.map((name) => `sentinel client-reconfig-script ${name} ${script}`);
  const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 5_000, lines });
  const ours = await startSwitchmaster(sandbox, { consul, sentinels });
  const version = await consulTemplateVersion(program);
  const peers = consulTemplates(version).map(({ label, text, settings }, n) => {
    const name = `consul-template-${n}`;
    const consumer = placeConsumer(sandbox, { label, name });
    launchConsulTemplate(sandbox, { ...consumer, name, program, consul, text, settings });
    return consumer;
  });
  // Sentinel calls its script only at a failover.
  await untilFollowing([ours, ...peers.filter(({ label }) => !label.startsWith(scriptLabel))], shards);
  return { consumers: [ours, ...peers], shards, sentinels };
}

type Placed = Consumer & { readonly destination: string };

function placeConsumer(sandbox: Sandbox, { label, name }: { readonly label: string; readonly name: string }): Placed {
  const destination = sandbox.path(`${name}.conf`);
  const readText = () => readFileSync(destination, 'utf8');
  return { label, destination, readText, marker: sandbox.write(`${name}.reloaded`, '') };
}

/** As in the bench of the failover path: what all others can see is the announcement. */
const announcementOnly = { follow: 'announcement', fence: 'none' };

async function startSwitchmaster(
  sandbox: Sandbox,
  { consul, sentinels }: { readonly consul: ConsulAgent; readonly sentinels: readonly SentinelServer[] },
): Promise<Consumer> {
  const name = 'switchmaster';
  const consumer = placeConsumer(sandbox, { label: 'switchmaster, bridge and template', name });
  const text = '{{#each redisMasters as |m|}}{{m.name}} {{m.address}}:{{m.port}}\n{{/each}}';
  const { destination, marker } = consumer;
  const source = sandbox.write(`${name}.conf.hbs`, text);
  await sandbox.switchmaster({
    name,
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), ...announcementOnly },
      templates: [{ source, destination, header: false, reload: ['touch', marker] }],
    },
  });
  return consumer;
}

/** No quiet time, and every answer from the leader: no second question where a server is behind. */
const fastest = { max_stale: '0s', wait: { min: '0s', max: '0s' } };

function consulTemplates(version: string) {
  const key = '{{range ls "redis/master"}}{{.Key}} {{.Value}}\n{{end}}';
  const service = '{{range service "redis-master"}}{{.Address}}:{{.Port}}\n{{end}}';
  const script = `{{range ls "${scriptPrefix}"}}{{.Key}} {{.Value}}\n{{end}}`;
  const name = `consul-template ${version}`;
  return [
    { label: `${name} on switchmaster's key, default settings`, text: key, settings: {} },
    { label: `${name} on switchmaster's key, fastest settings`, text: key, settings: fastest },
    { label: `${name} on switchmaster's service, default settings`, text: service, settings: {} },
    { label: `${name} on switchmaster's service, fastest settings`, text: service, settings: fastest },
    { label: `${scriptLabel}, consul-template on its key`, text: script, settings: fastest },
  ];
}

/** Sentinel calls it with: name, role, state, former host and port, new host and port. */
function writeScript(sandbox: Sandbox, consul: ConsulAgent): string {
  const path = sandbox.write(
    'reconfigure.sh',
    `#!/bin/sh\nexec curl --silent --output /dev/null --request PUT --data "$6:$7" "${consul.url}/v1/kv/${scriptPrefix}/$1"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

async function untilFollowing(consumers: readonly Consumer[], shards: readonly Shard[]): Promise<void> {
  const addresses = shards.map(({ master }) => formatAddress(master.address));
  for (const { label, readText } of consumers) {
    const isWhole = () => addresses.every((address) => readText().includes(address));
    await waitFor(`${label} to name every master`, isWhole, { timeoutMs: 120_000 });
  }
}
