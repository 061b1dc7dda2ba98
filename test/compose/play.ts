import assert from 'node:assert/strict';
import { waitFor } from '../sandbox/condition.ts';
import { run } from './command.ts';
import type { ComposeFile, Service } from './file.ts';
import type { Stack } from './stack.ts';

interface Stage {
  readonly file: ComposeFile;
  readonly write: (line: string) => void;
}

const followMs = 240_000;
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/**
 * All of it: the commands of the file's first lines in their order, then each service killed, or those that are named, and all
 * stopped.
 */
export async function playAll(
  stack: Stack,
  { file, write, named }: Stage & { named: readonly string[] },
): Promise<void> {
  await tryCommands(stack, { file, write });
  await crashEach(stack, { write, named });
  await stopAll(stack, write);
}

/** What each command of the comment must show. A command that is not here fails. */
const shows: Readonly<Record<string, (stack: Stack, output: string) => void>> = {
  'docker compose up --build --wait': (stack) => {
    const again = [...stack.containers.values()].filter(({ starts }) => starts > 1);
    assert.deepEqual(
      again.map((container) => [container.service.name, container.exits, container.log().slice(-2_000)]),
      [],
      'these started again',
    );
  },
  'dig +short @127.0.0.1 -p 8600 shard1.redis-master.service.consul': (_, output) =>
    assert.equal(output, '172.29.86.21\n'),
  'curl -s http://127.0.0.1:8680/v1/masters': (_, output) => assert.match(output, /"host":"172.29.86.21","port":6379/),
  'redis-cli -p 22121 set key value': (_, output) => assert.equal(output, 'OK\n'),
  'redis-cli -p 16379 role': (_, output) => assert.match(output, /^master\n/),
  'docker compose logs --tail 4 app': (_, output) => {
    assert.match(
      output,
      /shard1\.redis-master\.service\.consul is 172\.29\.86\.21:6379: \+OK \| 172\.29\.86\.30:22121: \+OK/,
    );
  },
  'docker compose kill shard1-a': () => undefined,
  'docker compose start shard1-a': () => undefined,
  'docker compose kill haproxy-1': () => undefined,
  'docker compose --profile cluster up --build --wait': () => undefined,
  'dig +short @127.0.0.1 -p 8600 sessions.redis-cluster.service.consul': (_, output) =>
    assert.match(output, /^172\.29\.86\.5/),
};

/** What holds some time after a command. */
const follows: Readonly<Record<string, (stack: Stack, write: Stage['write']) => Promise<void>>> = {
  'docker compose kill shard1-a': async (stack, write) => {
    const startedAt = performance.now();
    await until('the other commands to show the new master', async () => {
      assert.equal(
        await run(['dig', '+short', '@127.0.0.1', '-p', '8600', 'shard1.redis-master.service.consul']),
        '172.29.86.22\n',
      );
      assert.match(await run(['redis-cli', '-p', '16379', 'role']), /^master\n/);
      assert.equal(await run(['redis-cli', '-p', '22121', 'set', 'key', 'value']), 'OK\n');
      assert.match(lastLine(stack, 'app'), /172\.29\.86\.22:6379: \+OK \| 172\.29\.86\.30:22121: \+OK/);
    });
    write(`  everything follows ${seconds(performance.now() - startedAt)} after the kill`);
  },
  'docker compose start shard1-a': async (stack, write) => {
    await stack.untilReady('shard1-a');
    await until('shard1-a to be a replica', async () => {
      assert.match(await run(['redis-cli', '-h', '172.29.86.21', '-p', '6379', 'role']), /^slave\n172\.29\.86\.22\n/);
    });
    write('  it is a replica of shard1-b');
  },
  'docker compose kill haproxy-1': async (stack, write) => {
    const startedAt = performance.now();
    await until('the address to be at lb-2, and the application to write through it', async () => {
      assert.deepEqual(await hostsWithAddress(), ['lb-2']);
      assert.match(lastLine(stack, 'app'), /172\.29\.86\.30:22121: \+OK/);
    });
    write(`  the address is at lb-2 ${seconds(performance.now() - startedAt)} after the kill`);
    await stack.container('haproxy-1').start();
    await stack.untilReady('haproxy-1');
  },
};

async function tryCommands(stack: Stack, { file, write }: Stage): Promise<void> {
  assert.ok(file.commands.length > 8, 'the comment at the top of the file has its commands');
  for (const command of file.commands) {
    const startedAt = performance.now();
    const output = await carryOut(stack, command);
    write(`${command}: ${seconds(performance.now() - startedAt)}`);
    const show = shows[command];
    assert.ok(show, `the tests expect nothing of: ${command}`);
    show(stack, output);
    await follows[command]?.(stack, write);
  }
}

/** Runs a command, with the stack in the place of `docker compose`. */
async function carryOut(stack: Stack, command: string): Promise<string> {
  const words = command.split(' ');
  const [program, , ...rest] = words;
  // dig asks again after five seconds, twice.
  if (program !== 'docker') return run(words, { timeoutMs: 30_000 });
  const [verb = ''] = rest.filter((word, i) => !word.startsWith('-') && rest[i - 1] !== '--profile');
  const name = rest.at(-1) ?? '';
  if (verb === 'up') await stack.up(rest.includes('--profile') ? { profile: 'cluster' } : {});
  else if (verb === 'kill') await stack.container(name).kill();
  else if (verb === 'start') await stack.container(name).start();
  else if (verb === 'logs') return stack.container(name).log().trimEnd().split('\n').slice(-4).join('\n');
  else throw new Error(`the tests cannot run: ${command}`);
  return '';
}

/**
 * Kills each process 1 in turn. Its restart policy brings it back, nothing else ends, and the application writes again by both
 * ways.
 */
async function crashEach(
  stack: Stack,
  { write, named }: Pick<Stage, 'write'> & { readonly named: readonly string[] },
): Promise<void> {
  const all = [...stack.containers.values()];
  const services = crashing(all.map(({ service }) => service));
  for (const { name } of services.filter((service) => named.length === 0 || named.includes(service.name))) {
    const container = stack.container(name);
    const { starts } = container;
    const startedAt = performance.now();
    await container.crash();
    await until(`${name} to be back`, async () => assert.ok(container.starts > starts && container.ready));
    const backMs = performance.now() - startedAt;
    const count = written(lastLine(stack, 'app'));
    await until(`the application to write after the end of ${name}`, async () => {
      const line = lastLine(stack, 'app');
      assert.ok(written(line) > count || name === 'app');
      assert.match(line, /:6379: \+OK \| 172\.29\.86\.30:22121: \+OK/);
    });
    const total = performance.now() - startedAt;
    const back = `healthy again after ${seconds(backMs)}, the application writes after ${seconds(total)} at most`;
    write(`kill -9 ${name}: ${back}${await masterAfter(name)}`);
  }
  await until('every service to be healthy', async () => {
    const others = all.filter(({ ready }) => !ready);
    assert.deepEqual(
      others.map(({ service }) => service.name),
      [],
    );
  });
  const ended = all.filter(({ exits }) => exits.some((how) => how !== 'SIGKILL'));
  assert.deepEqual(
    ended.map((container) => [container.service.name, container.exits, container.log().slice(-2_000)]),
    [],
    'these ended by themselves',
  );
}

/**
 * Those that can crash. A host's container holds the network of others, and nothing in it can. Docker would not bring the
 * network back.
 */
export function crashing(services: Iterable<Service>): readonly Service[] {
  return [...services].filter(({ net, health }) => net.kind === 'shared' || health !== undefined);
}

/** Says who is master after the end of a Redis of a shard: the one that ended, started again, or its replica. */
async function masterAfter(name: string): Promise<string> {
  const [shard] = /^shard\d+(?=-)/.exec(name) ?? [];
  if (shard === undefined) return '';
  const address = await run(['dig', '+short', '@127.0.0.1', '-p', '8600', `${shard}.redis-master.service.consul`]);
  return `, the master of ${shard} is ${address.trim()}`;
}

/** Every container ends by SIGTERM within its `stop_grace_period`: Docker does not kill it. */
async function stopAll(stack: Stack, write: Stage['write']): Promise<void> {
  let slowest = { name: '', ms: 0 };
  for (const container of [...stack.containers.values()].toReversed()) {
    const { name, stopGraceMs } = container.service;
    const ms = await container.stop();
    assert.ok(ms < stopGraceMs, `${name} did not end by SIGTERM`);
    if (ms > slowest.ms) slowest = { name, ms };
  }
  write(`each container ends by SIGTERM, ${slowest.name} as the slowest after ${seconds(slowest.ms)}`);
}

async function hostsWithAddress(): Promise<readonly string[]> {
  const hosts = ['lb-1', 'lb-2'];
  const listed = await Promise.all(hosts.map((host) => run(['ip', '-4', '-brief', '-n', host, 'address'])));
  return hosts.filter((_, i) => listed[i]?.includes('172.29.86.30/'));
}

function lastLine(stack: Stack, name: string): string {
  return stack.container(name).log().trimEnd().split('\n').at(-1) ?? '';
}

/** The count in a line of the application. */
function written(line: string): number {
  return Number(/^\S+ (\d+): /.exec(line)?.[1] ?? 0);
}

async function until(description: string, check: () => Promise<void>): Promise<void> {
  await waitFor(
    description,
    async () => {
      await check();
      return true;
    },
    { timeoutMs: followMs, intervalMs: 200 },
  );
}
