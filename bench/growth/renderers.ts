import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatRecord } from '../../lib/model/record.ts';
import { waitFor } from '../../test/sandbox/condition.ts';
import type { ConsulAgent } from '../../test/sandbox/consul.ts';
import type { Sandbox } from '../../test/sandbox/sandbox.ts';
import { cpuMs, residentMib } from '../process-cost.ts';
import { quantile, round } from '../statistics.ts';
import { countingConsul, countOf } from './consul-count.ts';
import { measureEachSize } from './each-size.ts';
import type { Row } from './table.ts';

export interface RenderersSizes {
  readonly templates: readonly number[];
}

const changes = 5;
/** Longer than a watch waits between two readings. */
const pauseMs = 1_000;

/** Templates of one daemon that show one master; its record changes. Compared with a bare loop that writes as many files. */
export function measureRenderers(
  { templates: sizes }: RenderersSizes,
  progress: (line: string) => void,
): Promise<readonly Row[]> {
  return measureEachSize({ what: 'templates', sizes, measure: measureSize }, progress);
}

async function measureSize(sandbox: Sandbox, templates: number): Promise<Row> {
  const consul = await sandbox.consul({ config: countingConsul });
  await writeRecord(consul, 1);
  const folder = sandbox.path('out');
  mkdirSync(folder);
  const source = sandbox.write('master.hbs', '{{#each redisMasters}}{{address}}{{/each}}\n');
  const config = {
    consul: { address: consul.url },
    templates: Array.from({ length: templates }, (_, i) => ({
      source,
      destination: `${folder}/${i}.conf`,
      header: false,
    })),
  };
  const beganMs = performance.now();
  const daemon = await sandbox.switchmaster({ config, ready: '/live' });
  await untilWritten(folder, { templates, epoch: 1 });
  const startedMs = performance.now() - beganMs;
  await delay(2 * pauseMs);
  const pid = daemon.pid ?? 0;
  const [cpuBefore, countBefore] = [cpuMs(pid), await countOf(consul)];
  const times: { firstMs: number; lastMs: number }[] = [];
  for (let epoch = 2; epoch < 2 + changes; epoch += 1) {
    const changedMs = performance.now();
    await writeRecord(consul, epoch);
    const { firstMs, lastMs } = await untilWritten(folder, { templates, epoch });
    times.push({ firstMs: firstMs - changedMs, lastMs: lastMs - changedMs });
    await delay(pauseMs);
  }
  const countAfter = await countOf(consul);
  return {
    templates,
    startedMs: Math.round(startedMs),
    firstMs: round(
      quantile(
        times.map(({ firstMs }) => firstMs),
        0.5,
      ),
    ),
    lastMs: round(
      quantile(
        times.map(({ lastMs }) => lastMs),
        0.5,
      ),
    ),
    bareMs: round(await timeBare(sandbox, templates)),
    cpuMsPerChange: round((cpuMs(pid) - cpuBefore) / changes),
    consulRequestsPerChange: round((countAfter.requests - countBefore.requests) / changes),
    residentMib: Math.round(residentMib(pid).now),
  };
}

/** When the first and the last file has the master of this epoch. Precise to some 5 ms. */
async function untilWritten(
  folder: string,
  { templates, epoch }: { readonly templates: number; readonly epoch: number },
): Promise<{ readonly firstMs: number; readonly lastMs: number }> {
  const open = new Set(Array.from({ length: templates }, (_, i) => `${i}.conf`));
  let firstMs = Number.NaN;
  const look = () => {
    const present = new Set(readdirSync(folder));
    for (const name of open) {
      if (!present.has(name) || readFileSync(`${folder}/${name}`, 'utf8').trim() !== addressAt(epoch)) break;
      if (Number.isNaN(firstMs)) firstMs = performance.now();
      open.delete(name);
    }
    return open.size;
  };
  await waitFor(`${templates} files`, look, { until: (count) => count === 0, timeoutMs: 120_000, intervalMs: 5 });
  return { firstMs, lastMs: performance.now() };
}

/** The least that as many files take: written, flushed and renamed, one after the other. */
async function timeBare(sandbox: Sandbox, files: number): Promise<number> {
  const folder = sandbox.path('bare');
  mkdirSync(folder);
  const child = fork(fileURLToPath(new URL('bare-files.ts', import.meta.url)), [folder, String(files)], {
    env: sandbox.env,
  });
  const [ms] = (await once(child, 'message')) as [number];
  return ms;
}

function addressAt(epoch: number): string {
  return `10.0.0.${epoch}:6379`;
}

async function writeRecord(consul: ConsulAgent, epoch: number): Promise<void> {
  const text = formatRecord({
    version: 1,
    name: 'shard0',
    generation: 1,
    epoch,
    phase: 'confirmed',
    master: { host: `10.0.0.${epoch}`, port: 6379 },
    replicas: [],
    previous: null,
    reason: 'bench',
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'bench',
  });
  const set = (key: string, value: string) => ({
    KV: { Verb: 'set', Key: key, Value: Buffer.from(value).toString('base64') },
  });
  await consul.put('/v1/txn', [set('redis/record/shard0', text), set('redis/master/shard0', addressAt(epoch))]);
}
