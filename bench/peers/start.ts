import { chmodSync } from 'node:fs';
import { formatAddress } from '../../lib/model/address.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { ConsulAgent } from '../../test/sandbox/consul.ts';
import type { Shard } from '../../test/sandbox/redis.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import { consulTemplateVersion, installConsulTemplate, launchConsulTemplate } from '../consul-template.ts';
import { type Consumer, namesEveryMaster, type PeersWorld, placeConsumer } from './consumer.ts';
import { type GivenPrograms, reportLeftOut, startGivenPeers } from './given.ts';

interface Peers extends Pick<PeersWorld, 'shards' | 'sentinels' | 'leader'> {
  /** switchmaster first. */
  readonly consumers: readonly Consumer[];
}

/** What switchmaster follows. */
export type PeersFollow = 'announcement' | 'promotion';

interface Job {
  readonly shardCount: number;
  readonly follow: PeersFollow;
  readonly programs: GivenPrograms;
  readonly logLine: (line: string) => void;
}

/** Where Sentinel's script writes. */
const scriptPrefix = 'script';
const scriptLabel = 'client-reconfig-script with curl';

/** Starts servers, switchmaster and the programs to compare it with. */
export async function startPeers(sandbox: Sandbox, job: Job): Promise<Peers> {
  reportLeftOut(job.programs, job.logLine);
  const program = await installConsulTemplate(job.logLine);
  job.logLine(`starting ${job.shardCount} shards, 3 Sentinels and Consul`);
  const world = await startServers(sandbox, job.shardCount);
  const ours = await startSwitchmaster(world, job.follow);
  const templates = await launchConsulTemplates(world, program);
  // Sentinel calls its script only at a failover.
  await untilFollowing([ours, ...templates.filter(({ label }) => !label.startsWith(scriptLabel))], world.shards);
  return { ...world, consumers: [ours, ...templates, ...(await startGivenPeers(world, job.programs))] };
}

async function startServers(sandbox: Sandbox, shardCount: number): Promise<PeersWorld> {
  const names = Array.from({ length: shardCount }, (_, n) => `shard${n}`);
  const [consul, ...shards] = await Promise.all([sandbox.consul(), ...names.map((name) => sandbox.redis({ name }))]);
  const script = writeScript(sandbox, consul);
  const lines = names.map((name) => `sentinel client-reconfig-script ${name} ${script}`);
  const sentinels = await sandbox.sentinels({ masters: shards, downAfterMs: 5_000, lines });
  const [leader] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel was started');
  return { sandbox, consul, shards, sentinels, leader };
}

async function launchConsulTemplates({ sandbox, consul }: PeersWorld, program: string): Promise<readonly Consumer[]> {
  const version = await consulTemplateVersion(program);
  return consulTemplates(version).map(({ label, text, settings }, n) => {
    const name = `consul-template-${n}`;
    const consumer = placeConsumer(sandbox, { label, name });
    launchConsulTemplate(sandbox, { ...consumer, name, program, consul, text, settings });
    return consumer;
  });
}

/** As in the bench of the failover path: `announcement` is what all others can see; `promotion` are the default settings. */
const settings = { announcement: { follow: 'announcement', fence: 'none' }, promotion: {} } as const;

async function startSwitchmaster({ sandbox, consul, sentinels }: PeersWorld, follow: PeersFollow): Promise<Consumer> {
  const name = 'switchmaster';
  const consumer = placeConsumer(sandbox, { label: 'switchmaster, bridge and template', name });
  const text = '{{#each redisMasters as |m|}}{{m.name}} {{m.address}}:{{m.port}}\n{{/each}}';
  const { destination, marker } = consumer;
  const source = sandbox.write(`${name}.conf.hbs`, text);
  await sandbox.switchmaster({
    name,
    config: {
      consul: { address: consul.url },
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), ...settings[follow] },
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
  for (const consumer of consumers) {
    const isWhole = () => namesEveryMaster(consumer, shards);
    await waitFor(`${consumer.label} to name every master`, isWhole, { timeoutMs: 120_000 });
  }
}
