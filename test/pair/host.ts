import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { programFile } from '../runner/environment.ts';
import { waitFor } from '../sandbox/condition.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Server } from '../sandbox/server.ts';

const run = promisify(execFile);
const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const programFolder = '/mnt/bin';

export interface HostOrder {
  /** Part of the names of its link and its logs. At most 10 letters. */
  readonly name: string;
  readonly address: string;
  /** The bridge of the network, and its address. */
  readonly bridge: { readonly name: string; readonly address: string };
  /** Called at each start, before its services run, with the host. */
  readonly install: (host: PairHost) => Promise<void>;
}

/**
 * A host of the pair: namespaces of its own for network, mounts and processes. Its first process holds them, so a SIGKILL of it is what a
 * power cut is to a host: every process ends, and its addresses answer nothing.
 */
export class PairHost {
  readonly name: string;
  readonly address: string;
  readonly #order: HostOrder;
  readonly #sandbox: Sandbox;
  readonly #init: Server;
  readonly #variables: readonly string[];

  constructor(sandbox: Sandbox, order: HostOrder) {
    this.name = order.name;
    this.address = order.address;
    this.#order = order;
    this.#sandbox = sandbox;
    this.#variables = [
      `PATH=${programFolder}:${sandbox.env.PATH}`,
      `BIN=${programFolder}`,
      'UNITS=/run/units',
      `LOGS=${sandbox.path(order.name)}`,
      `ADDRESS=${order.address}`,
      `GATEWAY=${order.bridge.address}`,
      `SYSTEMCTL=${file('systemctl.sh')}`,
      `SWITCHMASTER=${process.execPath} ${programFile()}`,
    ];
    const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'];
    const argv = ['env', ...this.#variables, 'unshare', ...namespaces, 'sh', file('host.sh')] as const;
    this.#init = sandbox.program({ name: order.name, argv, ready: () => this.#connect() });
  }

  /** Starts it like a machine that boots: with its files, and without services. */
  async boot(): Promise<void> {
    await this.#init.start();
    await this.#order.install(this);
  }

  /** A power cut. */
  async die(): Promise<void> {
    await this.#init.kill();
    // The kernel removes a network a little after its last process.
    await waitFor('the link to be gone', () => !this.#hasLink());
  }

  /** Runs a command on it, and resolves with its standard output. */
  async run(...command: readonly string[]): Promise<string> {
    const enter = ['--target', String(this.#firstPid()), '--net', '--mount', '--pid', '--'];
    const argv = [...enter, 'env', ...this.#variables, ...command];
    const { stdout } = await run('nsenter', argv, { env: this.#sandbox.env, timeout: 300_000 });
    return stdout;
  }

  /** A file of the host, read without a program. Empty if the host or the file is not there. */
  read(path: string): string {
    try {
      return readFileSync(`/proc/${this.#firstPid()}/root${path}`, 'utf8');
    } catch {
      return '';
    }
  }

  /** Whether one of its interfaces has the address. */
  has(address: string): boolean {
    try {
      const table = readFileSync(`/proc/${this.#firstPid()}/net/fib_trie`, 'utf8');
      return table.includes(`-- ${address}\n`);
    } catch {
      return false;
    }
  }

  async write(path: string, text: string): Promise<void> {
    await this.run('sh', '-c', 'printf %s "$1" > "$0"', path, text);
  }

  async start(...services: readonly string[]): Promise<void> {
    for (const service of services) await this.run('systemctl', 'start', service);
  }

  /** A signal to all processes of a service. */
  async signal(service: string, signal: 'KILL' | 'STOP' | 'CONT'): Promise<void> {
    await this.run('systemctl', 'kill', '-s', signal, service);
  }

  /** `down`: the host sees no carrier. `silent`: packets are lost, and the host sees nothing of it. */
  async link(state: 'up' | 'down' | 'silent'): Promise<void> {
    const settings = { up: ['up', 'master', this.#order.bridge.name], down: ['down'], silent: ['nomaster'] } as const;
    await run('ip', ['link', 'set', this.#link, ...settings[state]], { env: this.#sandbox.env });
  }

  /** What a service has written since the host was made. */
  log(service: string): string {
    try {
      return readFileSync(join(this.#sandbox.folder, `${this.name}-${service}.log`), 'utf8');
    } catch {
      return '';
    }
  }

  get #link(): string {
    return `v-${this.name}`;
  }

  #firstPid(): number {
    const outer = this.#init.pid;
    const [pid] = readFileSync(`/proc/${outer}/task/${outer}/children`, 'utf8').split(' ').filter(Boolean);
    if (pid === undefined) throw new Error(`${this.name} has no process`);
    return Number(pid);
  }

  #hasLink(): boolean {
    return readFileSync('/proc/net/dev', 'utf8').includes(` ${this.#link}:`);
  }

  /** Gives the new namespace its link, once, and waits until the host has made its folders. */
  async #connect(): Promise<boolean> {
    const pid = this.#firstPid();
    if (!this.#hasLink()) {
      const peer = ['peer', 'name', 'eth0', 'netns', String(pid)];
      const { env } = this.#sandbox;
      await run('ip', ['link', 'add', this.#link, 'type', 'veth', ...peer], { env });
      await this.link('up');
    }
    return existsSync(`/proc/${pid}/root/run/host-ready`);
  }
}
