import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { waitFor } from '../../sandbox/condition.ts';
import type { ConsulAgent } from '../../sandbox/consul.ts';
import type { Daemon } from '../../sandbox/daemon.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { putRecord, sh } from './rendering.ts';

export interface FleetOptions {
  readonly consul: ConsulAgent;
  readonly daemons: number;
  readonly limit: number;
  /** How many of those that reload are killed. */
  readonly kills: number;
  /** How long a reload takes while the test observes it. */
  readonly slowMs: number;
}

/** The results of a fleet; times in milliseconds. */
export interface FleetStory {
  /** The most ordinary reloads at a time, from the first start to the end. */
  readonly mostAtOnce: number;
  /** From the change of master to the beginning of the reload for it, of each daemon that was in the queue; ascending. */
  readonly failoverMs: readonly number[];
  /** How many waited for their turn when the master changed. */
  readonly queued: number;
  /** What the queue would have taken at that time. */
  readonly queueMs: number;
  /** From the kill until everybody had the next ordinary change. */
  readonly recoveredMs: number;
}

interface Reload {
  readonly daemon: number;
  readonly text: string;
  readonly beganMs: number;
  endedMs: number;
}

/**
 * Daemons as users run them, with `rolling`. All start at once, then an ordinary change comes. In the middle of it some
 * that reload are killed and a master changes. One more ordinary change comes when the dead ones are back.
 */
export async function runFleet(sandbox: Sandbox, options: FleetOptions): Promise<FleetStory> {
  const { consul, kills, limit, slowMs } = options;
  const [log, pace] = [sandbox.write('fleet.log', ''), sandbox.write('fleet.pace', '0.05')];
  await Promise.all([consul.putKey('fleet/setting', '0'), putRecord(consul, { name: 'shard1' })]);
  const all = (text: string, of: readonly Daemon[]) =>
    waitFor(`${of.length} to have ${text}`, () => of.filter((daemon) => textOf(sandbox, daemon) === text).length, {
      until: (count) => count === of.length,
      timeoutMs: 120_000,
    });
  // Once: a daemon that starts could read a file that is being written again.
  sandbox.write('fleet.conf.hbs', '{{key "fleet/setting"}} {{#each redisMasters}}{{address}}{{/each}}\n');
  const daemons: Daemon[] = [];
  for (let n = 0; n < options.daemons; n++) {
    const daemon = await buildOne(sandbox, { n, options });
    daemons.push(daemon);
    void daemon.launch();
    // Starting costs a second of a core: if all started at once, even the first would be late.
    if (n >= 3) await all('0 10.0.0.1:6379\n', daemons.slice(0, n - 2));
  }
  await all('0 10.0.0.1:6379\n', daemons);

  writeFileSync(pace, String(slowMs / 1_000));
  await consul.putKey('fleet/setting', '1');
  const busy = await waitFor(
    'as many reloads as may be',
    () => reloadsIn(log).filter((reload) => isNow(reload, '1 ')),
    {
      until: ({ length }) => length >= limit,
      intervalMs: 5,
    },
  );
  const dead = busy.slice(0, kills).flatMap(({ daemon }) => daemons[daemon] ?? []);
  const killedMs = Date.now();
  await Promise.all(dead.map((daemon) => daemon.kill()));
  const living = daemons.filter((daemon) => !dead.includes(daemon));
  const queued = await waitFor('others to be in the queue', () => queuedOf(daemons, living), {
    until: ({ length }) => length >= living.length - limit,
    intervalMs: 5,
  });

  const changedMs = Date.now();
  await putRecord(consul, { name: 'shard1', epoch: 9, master: { host: '10.0.0.9', port: 1 } });
  await all('1 10.0.0.9:1\n', living);
  writeFileSync(pace, '0.05');
  const moved = await waitFor(
    'all reloads for the new master',
    () => reloadsIn(log).filter(({ text }) => text.endsWith('10.0.0.9:1')),
    { until: ({ length }) => length >= living.length, timeoutMs: 60_000 },
  );
  // What the dead ones began continues without them.
  await waitFor('no reload to be under way', () => reloadsIn(log).every(({ endedMs }) => endedMs < Infinity));

  await consul.putKey('fleet/setting', '2');
  await all('2 10.0.0.9:1\n', living);
  const recoveredMs = Date.now() - killedMs;
  for (const daemon of dead) void daemon.launch();
  await all('2 10.0.0.9:1\n', daemons);
  await Promise.all(daemons.map((daemon) => daemon.stop()));
  return {
    mostAtOnce: mostOrdinaryAtOnce(reloadsIn(log)),
    failoverMs: moved
      .filter(({ daemon }) => queued.includes(daemon))
      .map(({ beganMs }) => beganMs - changedMs)
      .sort((a, b) => a - b),
    queued: queued.length,
    queueMs: (queued.length * slowMs) / Math.max(1, limit - kills),
    recoveredMs,
  };
}

async function buildOne(sandbox: Sandbox, input: { n: number; options: FleetOptions }): Promise<Daemon> {
  const { n, options } = input;
  const [log, pace] = [sandbox.path('fleet.log'), sandbox.path('fleet.pace')];
  const note = (sign: string) => `echo "${sign} ${n} $(date +%s%3N) $(cat "$1")" >> ${log}`;
  return sandbox.switchmaster({
    name: nameOf(n),
    start: 'later',
    config: {
      consul: { address: options.consul.url },
      templates: [
        {
          source: sandbox.path('fleet.conf.hbs'),
          destination: sandbox.path(`${nameOf(n)}.conf`),
          header: false,
          wait: { min: 1, max: 5 },
          reload: { command: [...sh(`${note('+')}; sleep $(cat ${pace}); ${note('-')}`), 'sh', '{{file}}'] },
          rolling: { limit: options.limit, group: 'fleet' },
        },
      ],
    },
  });
}

function nameOf(n: number): string {
  return `fleet-${n}`;
}

function textOf(sandbox: Sandbox, daemon: Daemon): string | undefined {
  const path = sandbox.path(`${daemon.name}.conf`);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The numbers of those that wait for their turn. */
async function queuedOf(daemons: readonly Daemon[], living: readonly Daemon[]): Promise<readonly number[]> {
  const states = await Promise.all(
    living.map(async (daemon) => {
      const { body } = await daemon.get(`/v1/templates/${daemon.name}.conf`);
      return { n: daemons.indexOf(daemon), ...(body as { state: string }) };
    }),
  );
  return states.filter(({ state }) => state === 'queued').map(({ n }) => n);
}

/** `+ daemon ms setting master` for a beginning, `-` for an end; a daemon reloads once at a time. */
function reloadsIn(log: string): readonly Reload[] {
  const reloads: Reload[] = [];
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [sign, daemon, ms, ...text] = line.split(' ');
    if (sign === '+') {
      reloads.push({ daemon: Number(daemon), text: text.join(' '), beganMs: Number(ms), endedMs: Infinity });
    }
    const ended = sign === '-' ? reloads.findLast((reload) => reload.daemon === Number(daemon)) : undefined;
    if (ended !== undefined) ended.endedMs = Number(ms);
  }
  return reloads;
}

function isNow({ text, endedMs }: Reload, prefix: string): boolean {
  return text.startsWith(prefix) && endedMs === Infinity;
}

/** Without the reloads that lead to another master than the one before: those do not queue. */
function mostOrdinaryAtOnce(reloads: readonly Reload[]): number {
  const masters = new Map<number, string>();
  const ordinary = reloads.filter(({ daemon, text }) => {
    const master = text.split(' ')[1] ?? '';
    const before = masters.get(daemon) ?? master;
    masters.set(daemon, master);
    return master === before;
  });
  return Math.max(
    ...ordinary.map(({ beganMs }) => ordinary.filter((one) => one.beganMs <= beganMs && beganMs < one.endedMs).length),
  );
}
