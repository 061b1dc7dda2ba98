import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ConsulClient } from '../../../lib/client/consul.ts';
import { acquireLease, type Lease } from '../../../lib/consul/lock.ts';
import { HaproxyRuntime } from '../../../lib/renderer/haproxy/runtime-api.ts';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { longS, type Scene, setUp } from './moving.ts';
import { type Consumer, Observers, type Sample } from './observers.ts';
import { makeFolder, sh } from './rendering.ts';

type Owner = Pick<Test, 'teardown'>;
const signal = new AbortController().signal;

/** A long step of a template. It takes up to {@link longS} where nothing interrupts it. */
export interface LongStep {
  readonly name: string;
  readonly scene: Scene;
  readonly observers: Observers;
  /** Waits until the step is under way, also after a change of master interrupted it. */
  readonly enter: () => Promise<unknown>;
  /** What shows that it is. */
  readonly isUnderWay: () => boolean | Promise<boolean>;
  /** Lets the step end, and waits until the file is in use. */
  readonly leave: () => Promise<unknown>;
  readonly consumer: (shard: string) => Consumer;
}

/** Changes masters in turn, each while the step is under way, until there are enough samples. */
export async function measureMoves(
  step: LongStep,
  options: {
    readonly isEnough: (samples: readonly Sample[]) => boolean;
    /** Called before each change of a master. */
    readonly onMove?: (isUnderWay: boolean) => unknown;
  },
): Promise<readonly Sample[]> {
  const { scene, observers } = step;
  const samples: Sample[] = [];
  while (!options.isEnough(samples)) {
    const shard = samples.length % 2 === 0 ? 'a' : 'b';
    const port = Math.max(scene.portOf('a'), scene.portOf('b')) + 1;
    await step.enter();
    await options.onMove?.(await step.isUnderWay());
    const job = { name: scene.backend(shard), port, consumer: step.consumer(shard) };
    samples.push(await observers.measure(job, () => scene.move(shard, port)));
  }
  return samples;
}

/** The steps of one template with `verify`, `check`, `rolling` and HAProxy, of which one is slow at a time. */
export async function openHaproxySteps(
  t: Owner,
  { sandbox, consul }: { readonly sandbox: Sandbox; readonly consul: ConsulAgent },
): Promise<readonly LongStep[]> {
  const fails = join(makeFolder(t), 'fails');
  const scene = await setUp(t, { sandbox, consul, name: 'steps' }, ({ log }) => {
    const argv = sh(`test ! -e ${fails} || { echo begun >> ${log}; exit 1; }`);
    return {
      verify: { probes: [{ kind: 'command', command: { argv } }], deadlineMs: longS * 1_000 },
      rolling: { limit: 1 },
    };
  });
  const observers = await Observers.start(t, { url: consul.url, socket: scene.socket });
  const client = new ConsulClient(consul.http);
  t.teardown(() => client.close());
  let count = 0;
  let value = '0';
  const setNext = () => {
    count += 1;
    value = `${count}`;
    return scene.set(value);
  };
  const untilInUse = () => scene.untilInUse(value);
  const isNew = () => scene.text().startsWith(`# ${value}\n`);
  const stateIs = (state: string) => scene.rendering.state().state === state;
  const make = (name: string, step: Pick<LongStep, 'enter' | 'isUnderWay' | 'leave'>): LongStep => {
    const consumer = (shard: string) =>
      ({ kind: 'haproxy', socket: scene.socket, backend: scene.backend(shard) }) as const;
    return { name, scene, observers, consumer, ...step };
  };
  return [
    make('idle', { enter: untilInUse, isUnderWay: () => stateIs('current'), leave: untilInUse }),
    make('verify', {
      enter: async () => {
        if (!existsSync(fails)) {
          writeFileSync(fails, '');
          await setNext();
        }
        await scene.untilBegun();
      },
      isUnderWay: () => isNew() && !stateIs('current'),
      leave: () => {
        rmSync(fails);
        return untilInUse();
      },
    }),
    make('check', delayed(scene, { step: 'check', setNext, untilInUse, isUnderWay: () => !isNew() })),
    make('reload', delayed(scene, { step: 'reload', setNext, untilInUse, isUnderWay: () => !stateIs('current') })),
    make('rolling', queued(scene, { client, setNext, untilInUse })),
    make('rollback', rolledBack(scene, { setNext, untilInUse })),
  ];
}

type Steps = Pick<LongStep, 'enter' | 'isUnderWay' | 'leave'>;

interface Setting {
  readonly setNext: () => Promise<unknown>;
  readonly untilInUse: () => Promise<unknown>;
}

function delayed(
  scene: Scene,
  { step, setNext, untilInUse, isUnderWay }: Setting & { step: 'check' | 'reload'; isUnderWay: () => boolean },
): Steps {
  let isEntered = false;
  return {
    enter: async () => {
      // A reload that was interrupted continues. An interrupted check begins again.
      if (isEntered && step === 'reload') return;
      if (!isEntered) {
        scene.delay(step);
        await setNext();
      }
      isEntered = true;
      await scene.untilBegun();
    },
    isUnderWay,
    leave: async () => {
      scene.hurry(step);
      isEntered = false;
      await untilInUse();
    },
  };
}

/** Another node holds the only lease. A change of master does not queue, so each one needs another setting. */
function queued(scene: Scene, { client, setNext, untilInUse }: Setting & { client: ConsulClient }): Steps {
  let lease: Lease | undefined;
  return {
    enter: async () => {
      lease ??= await acquireLease({ client, key: 'redis/rolling/haproxy.cfg', limit: 1, holder: 'other' }, signal);
      await setNext();
      await scene.rendering.until('queued');
    },
    isUnderWay: () => scene.rendering.state().state === 'queued',
    leave: async () => {
      if (lease?.kind === 'inside') await lease.leave();
      lease = undefined;
      await untilInUse();
    },
  };
}

/** The reload refuses a bad text, and the reload of the last good one is slow. */
function rolledBack(scene: Scene, { setNext, untilInUse }: Setting): Steps {
  const leave = async () => {
    scene.hurry('reload');
    await setNext();
    await untilInUse();
  };
  return {
    enter: async () => {
      await leave();
      scene.delay('reload');
      await scene.set('bad');
      await scene.untilBegun();
    },
    isUnderWay: () => !scene.text().startsWith('# bad') && scene.rendering.state().state !== 'current',
    leave,
  };
}

/** A consumer behind HAProxy that is drained before each reload, with a session that does not end. */
export async function openDrain(
  t: Owner,
  { sandbox, consul }: { readonly sandbox: Sandbox; readonly consul: ConsulAgent },
): Promise<{ readonly idle: LongStep; readonly drain: LongStep; readonly front: HaproxyRuntime }> {
  const [target, listen] = [await sandbox.address(), await sandbox.address()];
  const server = createServer((socket) => socket.on('error', () => undefined)).listen(target);
  t.teardown(() => server.close());
  const [socket, configFile] = [join(sandbox.folder, 'front.sock'), sandbox.path('front.cfg')];
  const at = ({ host, port }: { host: string; port: number }) => `${host}:${port}`;
  writeFileSync(
    configFile,
    `global
    stats socket ${socket} level admin
defaults
    mode tcp
    timeout connect 1s
    timeout client 1m
    timeout server 1m
listen front
    bind ${at(listen)}
    server one ${at(target)}
`,
  );
  await sandbox.haproxy({ name: 'front', configFile, listen });
  const front = new HaproxyRuntime(socket);
  const used = join(makeFolder(t), 'used');
  writeFileSync(used, '');
  const scene = await setUp(t, { sandbox, consul, name: 'drain' }, ({ destination }) => {
    const argv = ['cp', destination, used];
    const drain = { socket, servers: ['front/one'], timeoutMs: longS * 1_000 };
    return { reload: { kind: 'command', command: { argv }, drain } };
  });
  const observers = await Observers.start(t, { url: consul.url, socket });
  let session: Socket | undefined;
  t.teardown(() => session?.destroy());
  let count = 0;
  const isDraining = async () => / one \S+ \d 8 /.test(await front.send(['show servers state'], signal));
  const consumer = (shard: string) => ({ kind: 'file', file: used, backend: scene.backend(shard) }) as const;
  const leave = () => scene.untilInUse(`${count}`);
  const isIdle = () => scene.rendering.state().state === 'current';
  const enter = async () => {
    await leave();
    session = connect(listen).on('error', () => undefined);
    await once(session, 'connect');
    await waitFor('the session', async () => (await front.countSessions(signal)).get('front/one'));
    count += 1;
    await scene.set(`${count}`);
    await waitFor('the drain', isDraining, { intervalMs: 5 });
  };
  const common = { scene, observers, consumer, leave };
  return {
    idle: { ...common, name: 'idle', enter: leave, isUnderWay: isIdle },
    drain: { ...common, name: 'drain', enter, isUnderWay: isDraining },
    front,
  };
}
