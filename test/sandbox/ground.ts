// What every server of a sandbox needs: the folder, the addresses, and the environment that marks it as the sandbox's.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AddressPool } from './address-pool.ts';
import { within } from './condition.ts';
import { markerVariable } from './marker.ts';
import type { ServerSpec } from './server.ts';

const projectDir = fileURLToPath(new URL('../..', import.meta.url));
// Where the bootstrap's programs are, beside PATH: Debian's daemons, and what was unpacked for this project.
const programDirs = ['/usr/local/sbin', '/usr/sbin', '/sbin', `${projectDir}.tools/bin`];
const reaperStartMs = 45_000;

export class Ground {
  readonly id: string;
  readonly folder: string;
  /** The first three octets: `127.x.y`, unless the sandbox was given another network. */
  readonly network: string;
  readonly addresses: AddressPool;
  /** Environment of the sandbox's processes. */
  readonly env: NodeJS.ProcessEnv;
  readonly #reaper: ChildProcess;
  readonly #closing = new AbortController();

  private constructor(reaper: ChildProcess, claimed: { id: string; folder: string; network: string }) {
    this.#reaper = reaper;
    this.id = claimed.id;
    this.folder = claimed.folder;
    this.network = claimed.network;
    this.addresses = new AddressPool(claimed.network);
    this.env = environment(claimed.id);
  }

  /** Starts the reaper, which claims the addresses and makes the folder. */
  static async open(name: string, network?: string): Promise<Ground> {
    const script = fileURLToPath(new URL('reaper.ts', import.meta.url));
    // A session of its own: a signal to the parent's group must not end the reaper, which cleans up after the parent.
    const reaper = spawn(process.execPath, [script, name, ...(network === undefined ? [] : [network])], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    const lines = createInterface({ input: reaper.stdout });
    const first = await within(once(lines, 'line'), reaperStartMs);
    if (first === undefined) {
      reaper.kill('SIGKILL');
      throw new Error(`the sandbox's reaper did not start in ${reaperStartMs} ms`);
    }
    lines.close();
    reaper.stdout.destroy();
    reaper.unref();
    (reaper.stdin as unknown as { unref(): void }).unref();
    return new Ground(reaper, JSON.parse(String(first[0])) as { id: string; folder: string; network: string });
  }

  /** Aborts when the sandbox begins to close: waits for its servers end then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** What every server's spec has in common. The default `ready` answers at once; most servers have a better one. */
  server(name: string, argv: readonly [string, ...string[]]): ServerSpec {
    return { name, argv, folder: this.folder, env: this.env, ready: async () => true, closing: this.closing };
  }

  /** Kills every process of the sandbox and removes its folder. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('the sandbox closes'));
    if (this.#reaper.exitCode !== null || this.#reaper.signalCode !== null) return;
    this.#reaper.ref();
    const exited = once(this.#reaper, 'exit');
    this.#reaper.stdin?.end();
    const exit = await within(exited, 45_000);
    if (exit === undefined) throw new Error(`the reaper of ${this.folder} did not finish`);
  }
}

function environment(id: string): NodeJS.ProcessEnv {
  // Servers must inherit neither the developer's own Consul settings nor those of the test runner.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CONSUL_|_?TAP)/.test(name));
  const path = [process.env.PATH ?? '', ...programDirs].filter(Boolean).join(delimiter);
  return { ...Object.fromEntries(inherited), PATH: path, [markerVariable]: id };
}
