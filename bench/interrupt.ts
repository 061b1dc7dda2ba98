import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConsulClient } from '../lib/client/consul.ts';
import { type Scene, setUp } from '../test/integration/support/moving.ts';
import { makeFolder } from '../test/integration/support/rendering.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface InterruptBenchOptions {
  readonly rounds: number;
  readonly json?: boolean;
}

/** A watch reads the records every 50 ms at most after a burst, and the bench must not measure that. */
const betweenMs = 60;

const states = ['idle', 'verify', 'check', 'reload'] as const;
type State = (typeof states)[number];

/** How long one change took: until HAProxy reports the new address, and until a bare program has the record. */
interface Sample {
  readonly movedMs: number;
  readonly bareMs: number;
}

/**
 * From Consul's answer to the write of a record to the new address in HAProxy, by a poll of its socket, while the template
 * is in each state. Beside it, the time that a blocking query and one command over the socket take.
 */
export async function benchInterrupt({ rounds, json }: InterruptBenchOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: 'bench-interrupt' });
  const results = new Map<State, readonly Sample[]>();
  const ends: (() => unknown)[] = [];
  const owner = { teardown: (end: () => unknown) => void ends.unshift(end) };
  try {
    const consul = await sandbox.consul();
    for (const state of states) {
      const fails = join(makeFolder(owner), 'fails');
      const argv = ['/bin/sh', '-c', `test ! -e ${fails}`];
      const verify = { probes: [{ kind: 'command', command: { argv } }], deadlineMs: 20_000 } as const;
      const scene = await setUp(owner, { sandbox, consul, name: state }, () => (state === 'verify' ? { verify } : {}));
      await enter(scene, { state, fails });
      results.set(state, await measure(consul, { scene, state, rounds }));
      if (existsSync(fails)) rmSync(fails);
    }
  } finally {
    for (const end of ends) await end();
    await sandbox.close();
  }
  report(results, { rounds, ...(json === undefined ? {} : { json }) });
}

/** Lets the template begin the long step of this state. */
async function enter(scene: Scene, { state, fails }: { readonly state: State; readonly fails: string }): Promise<void> {
  if (state === 'verify') writeFileSync(fails, '');
  if (state !== 'check' && state !== 'reload') return;
  scene.delay(state);
  await scene.set('1');
  await scene.untilBegun();
}

async function measure(
  consul: ConsulAgent,
  { scene, state, rounds }: { readonly scene: Scene; readonly state: State; readonly rounds: number },
): Promise<readonly Sample[]> {
  const client = new ConsulClient(consul.http);
  const samples: Sample[] = [];
  for (let n = 0; n < rounds; n += 1) {
    const shard = n % 2 === 0 ? 'a' : 'b';
    const port = 2 + n;
    const query = { kind: 'key', key: `redis/record/${state}-${shard}` } as const;
    const { index } = await client.read(query);
    const bare = client.read(query, { index }).then(async () => {
      await scene.port(shard);
      return performance.now();
    });
    await scene.move(shard, port);
    const startMs = performance.now();
    await waitFor(`${shard} to move`, () => scene.port(shard), { until: (now) => now === port, intervalMs: 1 });
    samples.push({ movedMs: performance.now() - startMs, bareMs: Math.max(0, (await bare) - startMs) });
    if (state === 'idle') await scene.rendering.until('current');
    await delay(betweenMs);
  }
  client.close();
  return samples;
}

function report(results: ReadonlyMap<State, readonly Sample[]>, { rounds, json }: InterruptBenchOptions): void {
  const rows = [...results].map(([state, samples]) => ({
    state,
    moved: summarize(samples.map(({ movedMs }) => movedMs)),
    bare: summarize(samples.map(({ bareMs }) => bareMs)),
  }));
  if (json === true) {
    process.stdout.write(`${JSON.stringify(rows)}\n`);
    return;
  }
  const cells = ({ p50, p99, max }: Summary) => [p50, p99, max].map((ms) => String(ms).padStart(8)).join('');
  const lines = [
    `from the record to HAProxy, ms, ${rounds} changes of a master in each state (p50, p99, max)`,
    `${'during'.padEnd(10)}${'switchmaster'.padStart(24)}${'bare'.padStart(24)}${'ratio of p50'.padStart(16)}`,
    ...rows.map(
      ({ state, moved, bare }) =>
        `${state.padEnd(10)}${cells(moved)}${cells(bare)}${String(round(moved.p50 / bare.p50)).padStart(16)}`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
