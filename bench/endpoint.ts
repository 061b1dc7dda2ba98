import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { formatRecord, type MasterRecord } from '../lib/model/record.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { round, type Summary, summarize } from './statistics.ts';

export interface EndpointBenchOptions {
  readonly masters: number;
  readonly connections: number;
  readonly subscribers: number;
  readonly rounds: number;
  readonly json?: boolean;
}

interface Result extends Omit<EndpointBenchOptions, 'json'> {
  readonly residentMb: number;
  readonly idleCpuPercent: number;
  /** From the first subscriber that hears of a change to the last one. Milliseconds. */
  readonly spreadMs: Summary;
  /** From the start of the transaction to the first subscriber. Milliseconds. */
  readonly firstMs: Summary;
}

/** Consul accepts 64 operations in a transaction; each master takes two. */
const mastersPerTransaction = 32;
const idleMs = 10_000;
/** Between two changes: more than a watch's limit of requests, which a burst of changes would measure. */
const pauseMs = 250;

/** Memory, idle CPU and the time to all subscribers of one Sentinel endpoint. Its masters exist in Consul alone. */
export async function benchEndpoint(options: EndpointBenchOptions): Promise<void> {
  const sandbox = await Sandbox.open({ name: 'bench-endpoint' });
  try {
    const result = await measure(sandbox, options);
    if (options.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
    else print(result);
  } finally {
    await sandbox.close();
  }
}

async function measure(sandbox: Sandbox, options: EndpointBenchOptions): Promise<Result> {
  const { masters, connections, subscribers, rounds } = options;
  const consul = await sandbox.consul();
  const records = Array.from({ length: masters }, (_, i) => makeRecord(i, 1));
  for (let i = 0; i < masters; i += mastersPerTransaction)
    await write(consul, records.slice(i, i + mastersPerTransaction));
  const listen = await sandbox.address();
  const daemon = await sandbox.switchmaster({
    config: { consul: { address: consul.url }, sentinelEndpoint: { listen: formatAddress(listen) } },
  });
  const clients = await Promise.all(
    Array.from({ length: connections - subscribers }, () => RespConnection.open(listen, { timeoutMs: 30_000 })),
  );
  const heard = await Promise.all(Array.from({ length: subscribers }, () => subscribe(listen)));
  process.stderr.write(`${connections} connections, ${subscribers} of them subscribed, ${masters} masters\n`);
  const pid = daemon.pid ?? 0;
  const before = cpuMs(pid);
  await delay(idleMs);
  const idleCpuPercent = ((cpuMs(pid) - before) / idleMs) * 100;
  const [spreads, firsts]: [number[], number[]] = [[], []];
  for (let n = 1; n <= rounds; n += 1) {
    await delay(pauseMs);
    const startedMs = nowMs();
    await write(consul, [makeRecord((n * 7) % masters, n + 1)]);
    await waitFor('every subscriber to hear of it', () => heard.every((times) => times.length >= n));
    const times = heard.map((list) => list[n - 1] ?? Number.NaN);
    spreads.push(Math.max(...times) - Math.min(...times));
    firsts.push(Math.min(...times) - startedMs);
  }
  const residentMb = residentKb(pid) / 1_024;
  for (const client of clients) client.close();
  return {
    ...{ masters, connections, subscribers, rounds },
    residentMb: round(residentMb),
    idleCpuPercent: round(idleCpuPercent),
    spreadMs: summarize(spreads),
    firstMs: summarize(firsts),
  };
}

/** The times at which a subscriber hears of a change of master. It parses nothing: that would delay the others. */
async function subscribe(listen: Address): Promise<readonly number[]> {
  const times: number[] = [];
  const socket = connect(listen);
  socket.on('error', () => {});
  socket.write('SUBSCRIBE +switch-master\r\n');
  await once(socket, 'data');
  socket.on('data', () => times.push(nowMs()));
  return times;
}

function makeRecord(i: number, epoch: number): MasterRecord {
  const host = `10.${i >> 8}.${i & 255}`;
  return {
    version: 1,
    name: `shard${i}`,
    generation: 1,
    epoch,
    phase: 'confirmed',
    master: { host: `${host}.${epoch % 200}`, port: 6379 },
    replicas: [
      { host: `${host}.201`, port: 6379 },
      { host: `${host}.202`, port: 6379 },
    ],
    previous: null,
    reason: 'bench',
    changedAt: '2026-01-01T00:00:00.000Z',
    changedBy: 'bench',
  };
}

async function write(consul: ConsulAgent, records: readonly MasterRecord[]): Promise<void> {
  const set = (key: string, value: string) => ({
    KV: { Verb: 'set', Key: key, Value: Buffer.from(value).toString('base64') },
  });
  await consul.put(
    '/v1/txn',
    records.flatMap((record) => [
      set(`redis/record/${record.name}`, formatRecord(record)),
      set(`redis/master/${record.name}`, formatAddress(record.master)),
    ]),
  );
}

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN);
}

/** User and system time; Linux counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function print(result: Result): void {
  const { masters, connections, subscribers, residentMb, idleCpuPercent, spreadMs, firstMs } = result;
  const lines = [
    `${masters} masters, ${connections} connections, ${subscribers} subscribers`,
    `memory                         ${residentMb} MiB`,
    `CPU while idle                 ${idleCpuPercent} %`,
    `first to last subscriber       ${spreadMs.p50} ms at the median, ${spreadMs.p99} ms at p99`,
    `transaction to first message   ${firstMs.p50} ms at the median, ${firstMs.p99} ms at p99`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
