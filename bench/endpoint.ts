import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { formatRecord, type MasterRecord } from '../lib/model/record.ts';
import type { ConsulAgent } from '../test/sandbox/consul.ts';
import { nowMs } from '../test/sandbox/recorder.ts';
import { RespConnection } from '../test/sandbox/resp.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { cpuMs, residentMib } from './process-cost.ts';
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
  /** The processor time that the daemon uses for one change, from the transaction until it is idle again. Milliseconds. */
  readonly changeCpuMs: number;
  /** From the first subscriber that hears of a change to the last one. Milliseconds. */
  readonly spreadMs: Summary;
  /** The same for a bare program that writes one text to as many connections. */
  readonly bareSpreadMs: Summary;
  /** Of the medians. */
  readonly ratio: number;
  /** From the start of the transaction to the first subscriber. Milliseconds. */
  readonly firstMs: Summary;
  /** How busy the machine was, at the start and at the end: processes that run or wait, of the last minute. */
  readonly load: readonly number[];
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
  const heard = await Subscribers.open(listen, subscribers);
  const bare = await startBare(subscribers);
  process.stderr.write(`${connections} connections, ${subscribers} of them subscribed, ${masters} masters\n`);
  const pid = daemon.pid ?? 0;
  const [loadBefore] = loadavg();
  const before = cpuMs(pid);
  await delay(idleMs);
  const idleCpuPercent = ((cpuMs(pid) - before) / idleMs) * 100;
  const times = await measureChanges(options, { consul, heard, bare, usedMs: () => cpuMs(pid) });
  const residentMb = residentMib(pid).now;
  for (const client of clients) client.close();
  heard.close();
  bare.heard.close();
  bare.program.kill();
  return {
    ...{ masters, connections, subscribers, rounds },
    residentMb: round(residentMb),
    idleCpuPercent: round(idleCpuPercent),
    ...times,
    load: [loadBefore ?? Number.NaN, loadavg()[0] ?? Number.NaN].map(round),
  };
}

interface Sides {
  readonly consul: ConsulAgent;
  readonly heard: Subscribers;
  readonly bare: { readonly program: ChildProcess; readonly heard: Subscribers };
  /** What the daemon has used of the processor. */
  readonly usedMs: () => number;
}

/** Both sides get the same text, one after the other. */
async function measureChanges({ masters, rounds }: EndpointBenchOptions, { consul, heard, bare, usedMs }: Sides) {
  const [spreads, firsts, bareSpreads]: [number[], number[], number[]] = [[], [], []];
  const beforeMs = usedMs();
  for (let n = 1; n <= rounds; n += 1) {
    await delay(pauseMs);
    const startedMs = nowMs();
    await write(consul, [makeRecord((n * 7) % masters, n + 1)]);
    const { firstMs, lastMs, text } = await heard.next();
    spreads.push(lastMs - firstMs);
    firsts.push(firstMs - startedMs);
    await delay(pauseMs);
    bare.program.send(text);
    const bareTimes = await bare.heard.next();
    bareSpreads.push(bareTimes.lastMs - bareTimes.firstMs);
  }
  const [spreadMs, bareSpreadMs] = [summarize(spreads), summarize(bareSpreads)];
  return {
    changeCpuMs: round((usedMs() - beforeMs) / rounds),
    spreadMs,
    bareSpreadMs,
    ratio: round(spreadMs.p50 / bareSpreadMs.p50),
    firstMs: summarize(firsts),
  };
}

/** Subscribers of one server: bench/arrivals.py. */
class Subscribers {
  readonly #program: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(program: ChildProcess, lines: AsyncIterator<string>) {
    this.#program = program;
    this.#lines = lines;
  }

  static async open({ host, port }: Address, count: number): Promise<Subscribers> {
    const program = spawn(
      'python3',
      [fileURLToPath(new URL('arrivals.py', import.meta.url)), host, `${port}`, `${count}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(program, 'spawn');
    const opened = new Subscribers(program, createInterface({ input: program.stdout })[Symbol.asyncIterator]());
    await opened.#line();
    return opened;
  }

  /** The next message that all of them have received; times in milliseconds since 1970, by the kernel. */
  async next(): Promise<{ readonly firstMs: number; readonly lastMs: number; readonly text: string }> {
    return JSON.parse(await this.#line());
  }

  close(): void {
    this.#program.kill();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the subscribers ended; see above');
    return value;
  }
}

async function startBare(subscribers: number): Promise<Sides['bare']> {
  const program = fork(fileURLToPath(new URL('bare-fan-out.ts', import.meta.url)));
  const [port] = (await once(program, 'message')) as [number];
  return { program, heard: await Subscribers.open({ host: '127.0.0.1', port }, subscribers) };
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

function print(result: Result): void {
  const { masters, connections, subscribers, spreadMs, bareSpreadMs, firstMs } = result;
  const quantiles = ({ p50, p99 }: Summary) => `${p50} ms at the median, ${p99} ms at p99`;
  const lines = [
    `${masters} masters, ${connections} connections, ${subscribers} subscribers`,
    `memory                         ${result.residentMb} MiB`,
    `CPU while idle                 ${result.idleCpuPercent} %`,
    `CPU of one change              ${result.changeCpuMs} ms`,
    `first to last subscriber       ${quantiles(spreadMs)}`,
    `the same, a bare loop          ${quantiles(bareSpreadMs)}`,
    `ratio of the medians           ${result.ratio}`,
    `transaction to first message   ${quantiles(firstMs)}`,
    `load of the machine            ${result.load.join(' and ')}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
