import { readFile } from 'node:fs/promises';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import type { Daemon } from '../test/sandbox/daemon.ts';
import type { ProxyServer } from '../test/sandbox/proxy.ts';
import { haproxyTemplate, twemproxyTemplate } from '../test/sandbox/proxy-templates.ts';
import type { Shard } from '../test/sandbox/redis.ts';
import type { Sandbox } from '../test/sandbox/sandbox.ts';
import type { SentinelServer } from '../test/sandbox/sentinel.ts';

/** Everything that the demo runs. */
export interface Stack {
  readonly consul: ConsulAgent;
  readonly shard1: Shard;
  readonly shard2: Shard;
  readonly sentinels: readonly SentinelServer[];
  readonly haproxy: ProxyServer;
  readonly twemproxy: ProxyServer;
  readonly daemon: Daemon;
  /** Where writes to shard1 enter HAProxy, and writes to any shard enter twemproxy. */
  readonly listen: { readonly haproxy: Address; readonly twemproxy: Address };
  /** What the daemon renders, by path. */
  readonly files: readonly string[];
}

/** Two shards with a replica each, three Sentinels, Consul, both proxies, and the daemon that ties them together. */
export async function startStack(
  sandbox: Sandbox,
  { register = 'nothing' }: { readonly register?: 'nothing' | 'proxies' } = {},
): Promise<Stack> {
  const [consul, shard1, shard2] = await Promise.all([
    sandbox.consul(),
    sandbox.redis({ name: 'shard1', replicas: 1 }),
    sandbox.redis({ name: 'shard2', replicas: 1 }),
  ]);
  const sentinels = await sandbox.sentinels({ count: 3, masters: [shard1, shard2] });
  const [haproxyAt, second, twemproxyAt] = [await sandbox.address(), await sandbox.address(), await sandbox.address()];
  const files = {
    haproxy: sandbox.path('haproxy.cfg'),
    twemproxy: sandbox.path('nutcracker.yml'),
    app: sandbox.path('app.json'),
  };
  // Do not wait for a listener: the first config may have either shard.
  const haproxy = await sandbox.haproxy({ configFile: files.haproxy, start: 'later' });
  const twemproxy = await sandbox.nutcracker({ configFile: files.twemproxy, listen: twemproxyAt, start: 'later' });
  const daemon = await sandbox.switchmaster({
    config: {
      consul: { address: consul.url },
      ...(register === 'nothing' ? {} : { register: proxiesAt({ haproxy: haproxyAt, twemproxy: twemproxyAt }) }),
      sentinel: { addresses: sentinels.map(({ address }) => formatAddress(address)), masters: ['shard*'] },
      templates: [
        haproxyTemplate({
          destination: files.haproxy,
          socket: sandbox.path('haproxy.sock'),
          reloadCommand: haproxy.reloadCommand,
          listeners: { bind: haproxyAt.host, ports: { shard1: haproxyAt.port, shard2: second.port } },
        }),
        twemproxyTemplate({
          destination: files.twemproxy,
          restartCommand: twemproxy.restartCommand,
          listen: twemproxyAt,
        }),
        { source: 'app.json.hbs', destination: files.app },
      ],
    },
  });
  // The daemon is ready after its first rendering. The second record may have come a moment after that.
  await waitFor('every file to have both shards', () => allName(Object.values(files), [shard1, shard2]));
  const listen = { haproxy: haproxyAt, twemproxy: twemproxyAt };
  const servers = { consul, shard1, shard2, sentinels, haproxy, twemproxy, daemon };
  return { ...servers, listen, files: Object.values(files) };
}

/** What the daemon registers: both proxies. */
function proxiesAt({ haproxy, twemproxy }: Stack['listen']) {
  const check = { interval: '1s' };
  return [
    { kind: 'haproxy', address: formatAddress(haproxy), check },
    { kind: 'twemproxy', address: formatAddress(twemproxy), check },
  ];
}

async function allName(files: readonly string[], shards: readonly Shard[]): Promise<boolean> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.every((text) => shards.every(({ master }) => text.includes(master.address.host)));
}
