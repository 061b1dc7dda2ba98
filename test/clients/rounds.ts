import { waitFor } from '../sandbox/condition.ts';
import { nowMs } from '../sandbox/recorder.ts';
import type { RedisServer } from '../sandbox/redis.ts';
import { redisCli } from '../sandbox/resp.ts';
import type { ClientProcess, Window } from './client-process.ts';
import { type Fault, movesMaster, strike } from './faults.ts';
import { type ClientStack, calmMaster } from './stack.ts';

/** One client's part in one fault. */
export interface Result {
  readonly fault: Fault;
  readonly client: ClientProcess;
  /** The longest time without an acknowledged write, in milliseconds; Infinity if it was not back in time. */
  readonly withoutMs: number;
  /** How many acknowledged writes the last master does not have. */
  readonly lost: number;
  readonly acknowledged: number;
}

const backWithinMs = 60_000;

/** Runs clients that write through the faults, one after the other. */
export async function runRounds(
  stack: ClientStack,
  plan: {
    readonly clients: readonly ClientProcess[];
    readonly faults: readonly Fault[];
    readonly report: (line: string) => void;
  },
): Promise<readonly Result[]> {
  const { clients } = plan;
  try {
    const windows: { readonly fault: Fault; readonly window: Window }[] = [];
    for (const fault of plan.faults) {
      plan.report(fault);
      windows.push({ fault, window: await runRound(stack, { fault, clients }) });
    }
    await Promise.all(clients.map((client) => client.stop()));
    const master = await currentMaster(stack);
    return (await Promise.all(clients.map((client) => resultsOf(client, { windows, master })))).flat();
  } finally {
    await Promise.all(clients.map((client) => client.stop()));
  }
}

async function runRound(
  stack: ClientStack,
  { fault, clients }: { readonly fault: Fault; readonly clients: readonly ClientProcess[] },
): Promise<Window> {
  for (const server of stack.shard.servers) if (!server.running) await server.start();
  const master = await calmMaster(stack);
  await allWrite(clients, nowMs());
  const fromMs = nowMs();
  await strike(stack, { fault, master });
  const isDemoted = async () => !master.running || (await master.role()) === 'replica';
  if (movesMaster(fault)) await waitFor('the old master to be no master', isDemoted, { timeoutMs: backWithinMs });
  await currentMaster(stack);
  // A client that is not back then is in the results.
  await allWrite(clients, nowMs()).catch(() => undefined);
  return { fromMs, toMs: nowMs() };
}

async function allWrite(clients: readonly ClientProcess[], sinceMs: number): Promise<void> {
  const silent = () =>
    clients
      .filter((client) => !client.hasWrittenAfter(sinceMs))
      .map(({ job, errors }) => `${job.key}: ${errors.at(-1) ?? 'no error'}`);
  await waitFor('every client to write', silent, { until: ({ length }) => length === 0, timeoutMs: backWithinMs });
}

/** The server that is a master. */
async function currentMaster({ shard }: ClientStack): Promise<RedisServer> {
  const find = async () => {
    for (const server of shard.servers) if (server.running && (await server.role()) === 'master') return server;
    return undefined;
  };
  const master = await waitFor('a server to be the master', find, { timeoutMs: backWithinMs });
  if (master === undefined) throw new Error('there is no master');
  return master;
}

async function resultsOf(
  client: ClientProcess,
  of: { readonly windows: readonly { readonly fault: Fault; readonly window: Window }[]; readonly master: RedisServer },
): Promise<readonly Result[]> {
  const kept = await readNumbers(of.master, client.job.key);
  return of.windows.map(({ fault, window }) => {
    const numbers = client.acknowledgedIn(window);
    const lost = numbers.filter((number) => !kept.has(number)).length;
    return { fault, client, withoutMs: client.longestGap(window), lost, acknowledged: numbers.length };
  });
}

/** What a program wrote: the members of a set, or the first argument of each task in a queue of Celery. */
async function readNumbers(master: RedisServer, key: string): Promise<ReadonlySet<number>> {
  const read = async (...command: string[]) => {
    const reply = await redisCli(master.address, command, { timeoutMs: 10_000 });
    return Array.isArray(reply) ? reply.map(String) : [];
  };
  const type = await redisCli(master.address, ['TYPE', key]);
  if (type !== 'list') return new Set((await read('SMEMBERS', key)).map(Number));
  return new Set((await read('LRANGE', key, '0', '-1')).map(readTask));
}

function readTask(message: string): number {
  const { body } = JSON.parse(message) as { body: string };
  const [[number]] = JSON.parse(Buffer.from(body, 'base64').toString()) as [[number]];
  return number;
}
