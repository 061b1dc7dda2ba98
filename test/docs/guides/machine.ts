import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify, stripVTControlCharacters } from 'node:util';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { Server } from '../../sandbox/server.ts';

const exec = promisify(execFile);
const commandMs = 90_000;
/** Where the reader of a guide types. Of each machine its own. */
const home = '/run/home';

export interface Finished {
  readonly code: number;
  /** Standard output and standard error, in the order in which they came. */
  readonly output: string;
}

/**
 * A machine of a guide's reader: network, host name, /etc and /run of its own, in namespaces below those of this process. So
 * a page's addresses, ports and paths are real ones.
 */
export class Machine {
  readonly name: string;
  /** On the bridge that joins the machines. */
  readonly ip: string;
  readonly #sandbox: Sandbox;
  readonly #holder: Server;

  private constructor(sandbox: Sandbox, { name, ip }: { readonly name: string; readonly ip: string }) {
    this.name = name;
    this.ip = ip;
    this.#sandbox = sandbox;
    const ready = sandbox.path(`${name}.up`);
    const argv = ['unshare', '--net', '--mount', '--uts', 'sh', '-ec', setUp, name, sandbox.path(name), ready] as const;
    this.#holder = sandbox.program({ name: `${name}-machine`, argv, ready: async () => existsSync(ready) });
  }

  /** Starts it and connects it to the bridge. This process must have a network of its own. */
  static async open(sandbox: Sandbox, at: { readonly name: string; readonly ip: string }): Promise<Machine> {
    const machine = new Machine(sandbox, at);
    await machine.#holder.start();
    const link = `to-${at.name}`.slice(0, 15);
    await exec('ip', `link add ${link} type veth peer name eth0 netns ${machine.#holder.pid}`.split(' '));
    await exec('ip', ['link', 'set', link, 'master', bridge, 'up']);
    await machine.run(`ip address add ${at.ip}/24 dev eth0; ip link set eth0 up`);
    return machine;
  }

  /** The argv that runs another one on this machine. */
  argv(argv: readonly string[]): readonly [string, ...string[]] {
    return [
      'nsenter',
      '--target',
      String(this.#holder.pid),
      '--net',
      '--mount',
      '--uts',
      '--',
      'env',
      `MACHINE=${this.name}`,
      ...argv,
    ];
  }

  /** A program of this machine, not yet started. */
  program({ name, argv, ready }: { name: string; argv: readonly string[]; ready: () => Promise<unknown> }): Server {
    return this.#sandbox.program({
      ...{ name: `${this.name}-${name}`, argv: this.argv(argv), ready },
      // Most readings start processes, and a loaded machine needs long for the start of Node.
      ...{ readyIntervalMs: 200, readyTimeoutMs: 90_000 },
    });
  }

  /** Runs a script with bash, which ends at the first command that fails. */
  async run(script: string): Promise<Finished> {
    const [file, ...args] = this.argv(['bash', '-ec', `exec 2>&1\ncd ${home}\n${script}`]);
    const options = {
      env: this.#sandbox.env,
      cwd: this.#sandbox.folder,
      timeout: commandMs,
      encoding: 'utf8',
    } as const;
    return exec(file ?? '', args, options).then(
      ({ stdout }) => ({ code: 0, output: stripVTControlCharacters(stdout) }),
      (error: { code?: number; killed?: boolean; stdout?: string }) => ({
        code: error.code ?? 1,
        output: `${stripVTControlCharacters(error.stdout ?? String(error))}${error.killed ? 'ended by the time limit\n' : ''}`,
      }),
    );
  }

  /** Where this process finds a file or a socket of the machine. */
  path(file: string): string {
    return `/proc/${this.#holder.pid}/root${file}`;
  }

  /** Writes a file of the machine, and the folders above it. */
  write(file: string, content: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), content);
  }

  /** Whether a program of the machine listens on a TCP port (proc(5), /proc/net/tcp: 0A is LISTEN). */
  listens(port: number): boolean {
    const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const rows = ['tcp', 'tcp6'].flatMap((file) =>
      readFileSync(`/proc/${this.#holder.pid}/net/${file}`, 'utf8').split('\n'),
    );
    return rows
      .map((row) => row.trim().split(/\s+/))
      .some(([, local = '', , state]) => state === '0A' && local.endsWith(end));
  }
}

const bridge = 'machines';

/** Joins the machines, and this process to them. Call it once, before the first one. */
export async function layBridge(): Promise<void> {
  await exec('ip', ['link', 'add', bridge, 'type', 'bridge']);
  await exec('ip', ['address', 'add', '10.0.0.1/24', 'dev', bridge]);
  await exec('ip', ['link', 'set', bridge, 'up']);
}

/** Keeps the namespaces: $0 is the name, $1 the folder of what changes below /etc, $2 the file that says it is up. */
const setUp = `
hostname "$0"
mkdir -p "$1/etc" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /srv
mkdir -p /run/haproxy ${home}
ip link set lo up
: > "$2"
exec sleep infinity
`;
