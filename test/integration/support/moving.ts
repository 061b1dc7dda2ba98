import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, type SpecInput, sh, startRendering } from './rendering.ts';

/** How long a step takes that is made slow. */
export const longS = 20;
/** 100 ms on a machine that does nothing else. */
const promptMs = 1_000;

const old: Address = { host: '127.0.0.1', port: 1 };
const signal = new AbortController().signal;

const template = (socket: string, name: string) => `# {{key "${name}/setting"}}
global
    stats socket ${socket} level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
{{#each redisMasters}}
backend {{name}}
    server master {{address}}
{{/each}}
`;

/** HAProxy with the shards NAME-a and NAME-b, and a renderer whose check or reload takes long on demand. */
export async function setUp(
  t: Pick<Test, 'teardown'>,
  { sandbox, consul, name }: { readonly sandbox: Sandbox; readonly consul: ConsulAgent; readonly name: string },
  more: (paths: { socket: string; destination: string }) => Partial<SpecInput>,
) {
  const folder = makeFolder(t);
  const [socket, log] = [join(sandbox.folder, `${name}.sock`), join(folder, 'log')];
  const destination = join(folder, 'haproxy.cfg');
  const slow = (step: 'check' | 'reload') => join(folder, `slow-${step}`);
  const shards = ['a', 'b'].map((shard) => `${name}-${shard}`);
  for (const shard of shards) await putRecord(consul, { name: shard, master: old, replicas: [] });
  t.teardown(() => Promise.all(shards.map((shard) => consul.delete(`/v1/kv/redis/record/${shard}`))));
  await consul.putKey(`${name}/setting`, '0');
  const proxy = await sandbox.haproxy({ name, configFile: destination, start: 'later' });
  const slowly = (step: 'check' | 'reload', ...argv: readonly string[]) => [
    ...sh(
      `test -e ${slow(step)} && ! grep -q '# bad' ${destination} && { echo begun >> ${log}; sleep ${longS}; }; exec "$@"`,
    ),
    'sh',
    ...argv,
  ];
  const rendering = startRendering(t, {
    consul,
    folder,
    resyncMs: 60_000,
    queue: 'on',
    specs: [
      {
        name: 'haproxy.cfg',
        template: template(socket, name),
        wait: { minMs: 1, maxMs: 5 },
        reload: { kind: 'haproxy', socket, fallback: { argv: slowly('reload', ...proxy.reloadCommand) } },
        check: { argv: slowly('check', 'true') },
        ...more({ socket, destination }),
      },
    ],
  });
  await rendering.until('current');
  const begun = () => existsSync(log) && readFileSync(log, 'utf8') !== '';
  return {
    rendering,
    destination,
    delay: (step: 'check' | 'reload') => writeFileSync(slow(step), ''),
    hurry: (step: 'check' | 'reload') => rmSync(slow(step)),
    untilBegun: () => waitFor('the long step to begin', begun, { intervalMs: 5 }),
    set: (value: string) => consul.putKey(`${name}/setting`, value),
    move: (shard: string, port: number) =>
      putRecord(consul, { name: `${name}-${shard}`, master: { ...old, port }, epoch: port, replicas: [] }),
    text: () => readFileSync(destination, 'utf8'),
    port: async (shard: string) => {
      const servers = await new HaproxyRuntime(socket).readServers(signal);
      return servers.find(({ backend }) => backend === `${name}-${shard}`)?.port;
    },
  };
}

export type Scene = Awaited<ReturnType<typeof setUp>>;

/** Changes a master and measures how long `read` takes to show its new port. */
export async function follows(
  t: Test,
  scene: Scene,
  change: { shard: string; port: number; read: () => Promise<number | undefined> },
): Promise<void> {
  const { shard, port, read } = change;
  const startMs = performance.now();
  await scene.move(shard, port);
  await waitFor(`shard ${shard} to move`, read, {
    until: (now) => now === port,
    intervalMs: 2,
    timeoutMs: (longS * 1_000) / 2,
  });
  const tookMs = Math.round(performance.now() - startMs);
  t.comment(`followed after ${tookMs} ms`);
  t.ok(tookMs < promptMs, `${tookMs} ms`);
}
