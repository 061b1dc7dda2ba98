// Runs Redis' own tests of Sentinel with a bridge attached: npm run test:redis-suite -- PATH-TO-REDIS [--fence demote].
// PATH-TO-REDIS is a source tree of Redis with its programs in src/ (or links to those that are installed), and tclsh is on
// PATH. The suite uses the ports 20000 to 20004 and 30000 to 30004 of 127.0.0.1.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import { formatAddress } from '../lib/model/address.ts';
import { parseRecord } from '../lib/model/record.ts';
import type { ConsulAgent } from './sandbox/consul.ts';
import { redisCli } from './sandbox/resp.ts';
import { Sandbox } from './sandbox/sandbox.ts';

const { values, positionals } = parseArgs({
  options: { fence: { type: 'string', default: 'demote' }, 'rebase-after': { type: 'string', default: '10s' } },
  allowPositionals: true,
});
const [source] = positionals;
const master = 'mymaster';
const sentinels = [20000, 20001, 20002, 20003, 20004].map((port) => ({ host: '127.0.0.1', port }));

if (source === undefined || !existsSync(join(source, 'src/redis-server'))) {
  console.error('usage: npm run test:redis-suite -- PATH-TO-REDIS [--fence demote|pause|none] [--rebase-after 10s]');
  console.error('PATH-TO-REDIS has tests/sentinel/run.tcl and src/redis-server');
  process.exit(2);
}

/** Whom each of more than half of the Sentinels names; undefined where there is no majority. */
async function readMajority(): Promise<string | undefined> {
  const named = await Promise.all(
    sentinels.map((at) =>
      redisCli(at, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master], { timeoutMs: 300 }).then(
        (reply) => (Array.isArray(reply) ? `${reply[0]}:${reply[1]}` : undefined),
        () => undefined,
      ),
    ),
  );
  return named.find((name) => name !== undefined && named.filter((other) => other === name).length >= 3);
}

async function readRecord(consul: ConsulAgent): Promise<string | undefined> {
  const record = parseRecord((await consul.key(`redis/record/${master}`)) ?? '');
  return record === undefined ? undefined : `${formatAddress(record.master)} ${record.phase}`;
}

/** What the record and the Sentinels said last, sampled until the suite ends. */
class Comparison {
  #last = 'nothing was read';
  #sampling = true;
  readonly #done: Promise<void>;

  constructor(consul: ConsulAgent) {
    this.#done = this.#sample(consul);
  }

  get last(): string {
    return this.#last;
  }

  async close(): Promise<void> {
    this.#sampling = false;
    await this.#done;
  }

  async #sample(consul: ConsulAgent): Promise<void> {
    while (this.#sampling) {
      const [majority, record] = await Promise.all([readMajority(), readRecord(consul)]);
      const same = majority !== undefined && record?.startsWith(`${majority} `) === true;
      this.#last = `${same ? 'same     ' : 'DIFFERENT'} record ${record ?? 'none'}, Sentinels ${majority ?? 'no majority'}`;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Answers the suite's exit code; prints what it prints, and the comparison at the end of each unit. */
async function runSuite(folder: string, comparison: Comparison): Promise<number> {
  const suite = spawn('tclsh', ['tests/sentinel/run.tcl'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const code = new Promise<number>((resolve, reject) => {
    suite.once('error', reject);
    suite.once('close', (exit) => resolve(exit ?? 1));
  });
  let unit: string | undefined;
  for await (const line of createInterface({ input: suite.stdout })) {
    const plain = stripVTControlCharacters(line);
    const next = /^Testing unit: (\S+)/.exec(plain)?.[1];
    if ((next !== undefined || plain.startsWith('Cleaning up')) && unit !== undefined)
      process.stdout.write(`${unit}: ${comparison.last}\n`);
    if (next !== undefined) unit = next;
    if (/FAILED|Exception|GOOD!|WARNING/.test(plain)) process.stdout.write(`${plain}\n`);
  }
  return code;
}

const sandbox = await Sandbox.open({ name: 'redis-suite' });
try {
  const consul = await sandbox.consul();
  await sandbox.switchmaster({
    ready: '/live',
    config: {
      consul: { address: consul.url },
      sentinel: {
        addresses: sentinels.map(formatAddress),
        masters: [master],
        fence: values.fence,
        rebaseAfter: values['rebase-after'],
      },
    },
  });
  process.stdout.write(`fence: ${values.fence}\n`);
  const comparison = new Comparison(consul);
  process.exitCode = await runSuite(source, comparison);
  await comparison.close();
  if (process.exitCode !== 0) process.stdout.write(sandbox.logTails({ lines: 60 }));
} finally {
  await sandbox.close();
}
