import { chmodSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { formatAddress } from '../../lib/model/address.ts';
import type { Ground } from './ground.ts';

type Action = () => Promise<void>;

/**
 * The counterpart of systemctl on a real machine: commands by which a daemon under test restarts or reloads a proxy that
 * the sandbox owns. Each is a small script in the sandbox's folder that sends its request here and exits 0 when it is done.
 */
export class ControlDesk {
  readonly #actions = new Map<string, Action>();
  readonly #ground: Ground;
  readonly #running = new Set<Promise<void>>();
  #endpoint: Promise<{ host: string; port: number }> | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** The argv that carries out `action`. `name` must be fit for a file's name. */
  async command(name: string, action: Action): Promise<string[]> {
    this.#endpoint ??= this.#listen();
    const { host, port } = await this.#endpoint;
    this.#actions.set(name, action);
    const script = join(this.#ground.folder, name);
    // bash connects to a TCP port by itself. A Node process in its place would add 50 ms to every reload that is timed.
    writeFileSync(
      script,
      `#!/bin/bash\nexec 3<>/dev/tcp/${host}/${port} || exit 1\necho '${name}' >&3\nread -r answer <&3\n[ "$answer" = done ] && exit 0\necho "$answer" >&2\nexit 1\n`,
    );
    chmodSync(script, 0o755);
    return [script];
  }

  /** Waits until no command runs any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #listen(): Promise<{ host: string; port: number }> {
    const address = await this.#ground.addresses.next();
    const server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) =>
        reject(new Error(`cannot listen on ${formatAddress(address)}`, { cause: error })),
      );
      server.listen(address, resolve);
    });
    // It lives as long as the process that owns the sandbox, and does not keep that process alive.
    server.unref();
    return address;
  }

  #serve(socket: Socket): void {
    socket.unref();
    socket.on('error', () => socket.destroy());
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined);
    lines.once('line', (name) => {
      const action = this.#actions.get(name) ?? (() => Promise.reject(new Error(`no such command: ${name}`)));
      const running = action().then(
        () => void socket.end('done\n'),
        (error: unknown) => void socket.end(`failed: ${String(error).split('\n')[0]}\n`),
      );
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    });
  }
}
