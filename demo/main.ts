import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { formatAddress } from '../lib/model/address.ts';
import { Sandbox } from '../test/sandbox/sandbox.ts';
import { type FailoverStory, startWriters, type Writers, watchFailover } from './failover.ts';
import { type Stack, startStack } from './stack.ts';
import { dig, showAddresses, showDiff, Terminal } from './terminal.ts';

interface Options {
  readonly keep?: boolean;
  readonly json?: boolean;
}

const options = new Command('demo')
  .description('A real failover: Redis, Sentinel, Consul, twemproxy and HAProxy, with switchmaster between them.')
  .option('--keep', 'leave everything running afterwards, until Ctrl-C')
  .option('--json', 'one object on standard output; events on standard error')
  .parse()
  .opts<Options>();
const terminal = new Terminal(options.json === true ? process.stderr : process.stdout);
const sandbox = await Sandbox.open({ name: 'demo' });
try {
  await run(sandbox);
} catch (error) {
  process.exitCode = 1;
  terminal.line(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  if (options.json === true) process.stdout.write(`${JSON.stringify({ moved: false, error: String(error) })}\n`);
} finally {
  await sandbox.close();
}

async function run(sandbox: Sandbox): Promise<void> {
  terminal.title('Two shards with a replica each, three Sentinels, Consul, HAProxy, twemproxy, and switchmaster');
  const stack = await startStack(sandbox);
  terminal.step('everything runs, and switchmaster has registered and rendered it');
  await showNames(stack);
  const writers = await startWriters(stack);
  try {
    await showFailover(stack, writers);
  } finally {
    await Promise.all([writers.haproxy.stop(), writers.twemproxy.stop()]);
  }
}

async function showFailover(stack: Stack, writers: Writers): Promise<void> {
  terminal.step('an application writes through HAProxy, another through twemproxy');
  const before = await Promise.all(stack.files.map((file) => readFile(file, 'utf8')));
  terminal.title(`kill -9 of shard1's master, ${formatAddress(stack.shard1.master.address)}`);
  const story = await watchFailover(stack, writers);
  await printStory(stack, { story, before });
  if (options.json === true) {
    const { stages, failedWrites } = story;
    process.stdout.write(`${JSON.stringify({ moved: true, stages, failedWrites })}\n`);
  }
  if (options.keep === true) await keep(stack);
}

async function printStory(
  stack: Stack,
  { story, before }: { story: FailoverStory; before: readonly string[] },
): Promise<void> {
  const { event, stages, failedWrites } = story;
  terminal.step(`Sentinel, ${Math.round(event.atMs - story.killedAtMs)} ms later: ${event.channel} ${event.payload}`);
  terminal.command('consul kv get redis/record/shard1', (await stack.consul.key('redis/record/shard1')) ?? '');
  await showNames(stack);
  for (const [i, file] of stack.files.entries()) await showDiff(terminal, { file, before: before[i] ?? '' });
  terminal.title("Everything follows the promotion; Sentinel's announcement comes later");
  terminal.stages(stages, event.atMs - story.killedAtMs);
  terminal.line(
    `\n  failed writes: ${failedWrites.haproxy} through HAProxy, ${failedWrites.twemproxy} through twemproxy`,
  );
  terminal.line('  (most of them before the failover was ordered)');
}

async function showNames(stack: Stack): Promise<void> {
  await dig(terminal, stack, 'redis-master.service.consul');
  await dig(terminal, stack, 'shard1.redis-master.service.consul');
}

async function keep(stack: Stack): Promise<void> {
  terminal.title('Everything runs until Ctrl-C');
  showAddresses(terminal, stack);
  const stay = setInterval(() => {}, 60_000);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  clearInterval(stay);
}
