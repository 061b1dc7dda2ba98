import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Address } from '../../../lib/model/address.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { makeFolder, putRecord, type SpecInput, sh, startRendering } from './rendering.ts';

type Step = 'check' | 'reload';

/** The longest time of a step that is made slow. */
export const longS = 20;
/** 100 ms on an idle machine; a quarter of the slow step on a busy one. */
const promptMs = (longS * 1_000) / 4;

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
  more: (paths: {
    socket: string;
    destination: string;
    log: string;
    fallback: readonly string[];
  }) => Partial<SpecInput>,
) {
  const folder = makeFolder(t);
  const [socket, log] = [join(sandbox.folder, `${name}.sock`), join(folder, 'log')];
  const destination = join(folder, 'haproxy.cfg');
  const slow = (step: Step) => join(folder, `slow-${step}`);
  const shards = ['a', 'b'].map((shard) => `${name}-${shard}`);
  for (const shard of shards) await putRecord(consul, { name: shard, master: old, replicas: [] });
  t.teardown(() => Promise.all(shards.map((shard) => consul.delete(`/v1/kv/redis/record/${shard}`))));
  await consul.putKey(`${name}/setting`, '0');
  const proxy = await sandbox.haproxy({ name, configFile: destination, start: 'later' });
  // A text with "# bad" is refused at once, for a rollback.
  const slowly = (step: Step, ...argv: readonly string[]) => [
    ...sh(`! grep -q '# bad' ${step === 'check' ? '/dev/null' : destination} || exit 1
      if test -e ${slow(step)}; then echo begun >> ${log}; fi
      n=0; while test -e ${slow(step)} && test $n -lt ${longS}0; do sleep 0.1; n=$((n + 1)); done; exec "$@"`),
    'sh',
    ...argv,
  ];
  const fallback = slowly('reload', ...proxy.reloadCommand);
  const countBegun = () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0);
  let begunBefore = 0;
  let epoch = 100;
  const latest = new Map(shards.map((shard) => [shard, old.port]));
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
        reload: { kind: 'haproxy', socket, fallback: { argv: fallback } },
        check: { argv: slowly('check', 'true') },
        ...more({ socket, destination, log, fallback }),
      },
    ],
  });
  await rendering.until('current');
  const text = () => readFileSync(destination, 'utf8');
  const portOf = (shard: string) => latest.get(`${name}-${shard}`) as number;
  return {
    rendering,
    destination,
    socket,
    backend: (shard: string) => `${name}-${shard}`,
    delay: (step: Step) => writeFileSync(slow(step), ''),
    hurry: (step: Step) => rmSync(slow(step), { force: true }),
    /** Waits until a long step begins after the last change of a record or of the setting. */
    untilBegun: () => waitFor('the long step to begin', () => countBegun() > begunBefore, { intervalMs: 5 }),
    set: (value: string) => {
      begunBefore = countBegun();
      return consul.putKey(`${name}/setting`, value);
    },
    move: (shard: string, port: number) => {
      begunBefore = countBegun();
      latest.set(`${name}-${shard}`, port);
      epoch += 1;
      return putRecord(consul, { name: `${name}-${shard}`, master: { ...old, port }, epoch, replicas: [] });
    },
    /** The port of the last change. */
    portOf,
    text,
    /** Waits until the file has this setting and the masters of the records, and is in use. */
    untilInUse: async (value: string) => {
      const wanted = [`# ${value}\n`, ...shards.map((shard) => `:${latest.get(shard)}\n`)];
      await waitFor(`the file with ${value}`, text, { until: (now) => wanted.every((part) => now.includes(part)) });
      await rendering.until('current');
    },
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
