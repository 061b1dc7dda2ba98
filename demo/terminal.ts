import { styleText } from 'node:util';
import { execa } from 'execa';
import { formatAddress } from '../lib/model/address.ts';
import type { Stages } from './failover.ts';
import type { Stack } from './stack.ts';

type Style = Parameters<typeof styleText>[0];

/** Prints events for people: on standard output, or on standard error if standard output is for a machine. */
export class Terminal {
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  title(text: string): void {
    this.line(`\n${this.paint('bold', text)}`);
  }

  line(text: string): void {
    this.#stream.write(`${text}\n`);
  }

  step(text: string): void {
    this.line(`  ${this.paint('green', '✓')} ${text}`);
  }

  /** What a command printed, below the command itself. */
  command(argv: string, output: string): void {
    this.line(`  ${this.paint('cyan', `$ ${argv}`)}`);
    for (const line of output.trimEnd().split('\n')) this.line(`    ${line}`);
  }

  diff(text: string): void {
    for (const line of text.trimEnd().split('\n')) {
      if (/^(---|\+\+\+|@@)/.test(line)) this.line(`    ${this.paint('dim', line)}`);
      else if (line.startsWith('-')) this.line(`    ${this.paint('red', line)}`);
      else if (line.startsWith('+')) this.line(`    ${this.paint('green', line)}`);
      else this.line(`    ${line}`);
    }
  }

  /** Each stage by its time since the kill, beside Sentinel's announcement. */
  stages(stages: Stages, announcedMs: number): void {
    const rows: readonly [string, number][] = [
      ['record and keys in Consul', stages.record],
      ['DNS answers the new master', stages.dns],
      ['all files rendered', stages.files],
      ['first write through HAProxy', stages.haproxy],
      ['first write through twemproxy', stages.twemproxy],
      ["Sentinel's +switch-master", 0],
    ];
    const longest = Math.max(...rows.map(([, ms]) => announcedMs + ms));
    this.line(this.paint('dim', `  ${''.padEnd(30)}${'after the kill'.padStart(16)}${'+switch-master'.padStart(18)}`));
    for (const [name, ms] of rows.toSorted(([, one], [, other]) => one - other)) {
      const sinceKill = announcedMs + ms;
      const bar = '█'.repeat(Math.max(1, Math.round((sinceKill / longest) * 30)));
      const sign = ms > 0 ? '+' : '';
      const times = `${sinceKill.toFixed(0).padStart(13)} ms${`${sign}${ms.toFixed(1)}`.padStart(15)} ms`;
      this.line(`  ${name.padEnd(30)}${times}  ${this.paint(ms === 0 ? 'dim' : 'cyan', bar)}`);
    }
  }

  paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }
}

/** `dig +short` of a name at the stack's Consul, as a user would type it. */
export async function dig(terminal: Terminal, stack: Stack, name: string): Promise<void> {
  const { host, port } = stack.consul.dns;
  const argv = [`@${host}`, '-p', String(port), name, '+short'];
  const { stdout } = await execa('dig', argv, { timeout: 5_000 });
  terminal.command(`dig ${argv.join(' ')}`, stdout === '' ? '(no answer)' : stdout);
}

/** What changed in a file, as `diff -u` prints it. */
export async function showDiff(
  terminal: Terminal,
  change: { readonly file: string; readonly before: string },
): Promise<void> {
  const { file, before } = change;
  const { stdout } = await execa('diff', ['-u', '--label', file, '--label', file, '-', file], {
    input: before,
    reject: false,
    timeout: 5_000,
  });
  terminal.diff(stdout);
}

/** The addresses of all servers, for a user who wants to try things. */
export function showAddresses(terminal: Terminal, stack: Stack): void {
  const rows: readonly [string, string][] = [
    ['Consul', stack.consul.url],
    ['Consul DNS', formatAddress(stack.consul.dns)],
    ['shard1 through HAProxy', formatAddress(stack.listen.haproxy)],
    ['all shards through twemproxy', formatAddress(stack.listen.twemproxy)],
    ['Sentinels', stack.sentinels.map(({ address }) => formatAddress(address)).join(' ')],
    ['shard1', stack.shard1.servers.map(({ address }) => formatAddress(address)).join(' ')],
    ['shard2', stack.shard2.servers.map(({ address }) => formatAddress(address)).join(' ')],
    ['switchmaster', `http://${formatAddress(stack.daemon.api)}/v1/masters`],
    ['rendered files', stack.files.join(' ')],
  ];
  for (const [name, where] of rows) terminal.line(`  ${name.padEnd(30)}${where}`);
}
