import { readFile } from 'node:fs/promises';
import { type Address, formatAddress } from '../lib/model/address.ts';
import { waitFor } from '../test/sandbox/condition.ts';
import { nowMs, type SentinelEvent } from '../test/sandbox/recorder.ts';
import { RespConnection, redisCli } from '../test/sandbox/resp.ts';
import type { Stack } from './stack.ts';
import { Writer } from './writer.ts';

/** Milliseconds since `+switch-master`, as an independent subscriber saw it. A negative time is before it. */
export interface Stages {
  readonly record: number;
  readonly dns: number;
  readonly files: number;
  readonly haproxy: number;
  readonly twemproxy: number;
}

export interface FailoverStory {
  readonly event: SentinelEvent;
  readonly killedAtMs: number;
  readonly oldMaster: Address;
  readonly newMaster: Address;
  readonly stages: Stages;
  readonly failedWrites: { readonly haproxy: number; readonly twemproxy: number };
}

const deadline = { timeoutMs: 30_000, intervalMs: 1 };

/** An application on each path. */
export interface Writers {
  readonly haproxy: Writer;
  readonly twemproxy: Writer;
}

/** A writer on each path to shard1. Both have had a write accepted. */
export async function startWriters(stack: Stack): Promise<Writers> {
  const key = await findKeyPatiently(stack);
  const haproxy = new Writer({ name: 'haproxy', target: stack.listen.haproxy, key: 'demo:haproxy' });
  const twemproxy = new Writer({ name: 'twemproxy', target: stack.listen.twemproxy, key });
  try {
    for (const writer of [haproxy, twemproxy]) {
      const until = (count: number) => count > 5;
      await waitFor(`writes through ${writer.name}`, () => writer.acceptedAt.length, { ...deadline, until });
    }
  } catch (error) {
    await Promise.all([haproxy.stop(), twemproxy.stop()]);
    throw error;
  }
  return { haproxy, twemproxy };
}

/** A failover of a crashed master is ordered only if its replicas were seen to have its data (docs/crash.md). */
async function untilMeasured({ daemon }: Stack): Promise<void> {
  const replicas = async () => {
    const { body } = await daemon.get('/v1/masters/shard1');
    return (body as { replicas: { lag: { behindMs: number | null } | null }[] }).replicas;
  };
  await waitFor("the replicas' data to be compared", replicas, {
    ...deadline,
    until: (all) => all.length > 0 && all.every(({ lag }) => typeof lag?.behindMs === 'number'),
  });
}

/** Kills shard1's master with SIGKILL and times everything that follows it. */
export async function watchFailover(stack: Stack, writers: Writers): Promise<FailoverStory> {
  const { consul, shard1, sentinels } = stack;
  const observer = sentinels[1] ?? sentinels[0];
  const replica = shard1.replicas[0];
  if (observer === undefined || replica === undefined) throw new Error('the stack is not whole');
  const newMaster = replica.address;
  const recorder = await observer.record();
  await untilMeasured(stack);
  const killedAtMs = nowMs();
  await shard1.master.kill();
  // Watch each from now on and not from the event on, because some come before the event.
  const written = formatAddress(newMaster);
  const [event, record, dns, files] = await Promise.all([
    recorder.event('+switch-master', { master: 'shard1', timeoutMs: deadline.timeoutMs }),
    timeOf('the key to follow', async () => (await consul.key('redis/master/shard1')) === written),
    timeOf(
      'DNS to follow',
      async () => (await consul.dnsA('shard1.redis-master.service.consul'))[0] === newMaster.host,
    ),
    timeOf('the files to follow', () => allContain(stack.files, newMaster)),
    firstWrite(writers.haproxy, killedAtMs),
    firstWrite(writers.twemproxy, killedAtMs),
  ]);
  recorder.close();
  const since = (ms: number) => Math.round((ms - event.atMs) * 10) / 10;
  return {
    event,
    killedAtMs,
    oldMaster: shard1.master.address,
    newMaster,
    stages: {
      record: since(record),
      dns: since(dns),
      files: since(files),
      haproxy: since(await firstWrite(writers.haproxy, killedAtMs)),
      twemproxy: since(await firstWrite(writers.twemproxy, killedAtMs)),
    },
    failedWrites: {
      haproxy: writers.haproxy.failedSince(killedAtMs),
      twemproxy: writers.twemproxy.failedSince(killedAtMs),
    },
  };
}

async function timeOf(what: string, reached: () => Promise<boolean>): Promise<number> {
  await waitFor(what, () => reached().catch(() => false), { ...deadline, until: (yes) => yes });
  return nowMs();
}

async function firstWrite(writer: Writer, sinceMs: number): Promise<number> {
  const at = await waitFor(`a write through ${writer.name}`, () => writer.firstAcceptedAfter(sinceMs + 20), {
    ...deadline,
    until: (ms) => ms !== undefined,
  });
  return at ?? Number.NaN;
}

async function allContain(files: readonly string[], address: Address): Promise<boolean> {
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.every((text) => text.includes(address.host));
}

/** A restart of twemproxy may follow while the shards' records come in. */
async function findKeyPatiently(stack: Stack): Promise<string> {
  const key = await waitFor('a key of shard1', () => findKey(stack).catch(String), {
    ...deadline,
    until: (found) => found.startsWith('demo:'),
  });
  return key;
}

/** A key that twemproxy keeps on shard1. Finds it by reading shard1. */
async function findKey({ listen, shard1 }: Stack): Promise<string> {
  const connection = await RespConnection.open(listen.twemproxy, { timeoutMs: 2_000 });
  try {
    for (let i = 0; i < 100; i += 1) {
      const key = `demo:twemproxy:${i}`;
      await connection.command('SET', key, 'found');
      if ((await redisCli(shard1.master.address, ['EXISTS', key])) === 1) return key;
    }
  } finally {
    connection.close();
  }
  throw new Error('twemproxy sends nothing to shard1');
}
