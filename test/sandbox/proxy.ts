import { connect } from 'node:net';
import { join } from 'node:path';
import type { Address } from '../../lib/model/address.ts';
import { waitFor } from './condition.ts';
import type { ControlDesk } from './control.ts';
import type { Ground } from './ground.ts';
import { readReloads } from './haproxy-master.ts';
import { Server } from './server.ts';

export type ProxyOptions = {
  /** Unique in the sandbox. Default `haproxy` or `nutcracker`. */
  name?: string;
  /** Need not exist before `start`. */
  configFile: string;
  /** A listener of the config, which accepts connections when `start` has resolved. */
  listen?: Address;
  /** Default `haproxy` or `nutcracker`; another program on PATH or in `.tools/bin`, such as `haproxy3`. */
  program?: string;
  /** Default `now`. With `later`, the caller starts it, or the restart command does. */
  start?: 'now' | 'later';
};

/** A proxy of the sandbox, with the commands by which a daemon moves it to a new config. */
export class ProxyServer extends Server {
  /** Stops it, waits for its end, and starts it. Starts it if it was not running. */
  restartCommand: string[] = [];
  /**
   * HAProxy: SIGUSR2, so that a new worker takes over the listeners. It fails if HAProxy refuses the config, and starts
   * HAProxy if it was not running. twemproxy: restart.
   */
  reloadCommand: string[] = [];
  /** twemproxy: where it serves its statistics. */
  stats: Address | undefined;
}

/** HAProxy in master-worker mode. */
export async function haproxy(ground: Ground, desk: ControlDesk, options: ProxyOptions): Promise<ProxyServer> {
  const { name = 'haproxy', program = 'haproxy', configFile, listen } = options;
  const master = join(ground.folder, `${name}-master.sock`);
  const ready = async () => (await readReloads(master)) && (listen === undefined || (await accepts(listen)));
  const argv = [program, '-W', '-S', master, '-f', configFile] as const;
  const proxy = new ProxyServer({ ...ground.server(name, argv), ready, readyIntervalMs: 2 });
  proxy.restartCommand = await desk.command(`restart-${name}`, () => proxy.restart());
  proxy.reloadCommand = await desk.command(`reload-${name}`, () =>
    proxy.running ? reload(proxy, { master, signal: ground.closing }) : proxy.start(),
  );
  if (options.start !== 'later') await proxy.start();
  return proxy;
}

async function reload(
  proxy: ProxyServer,
  { master, signal }: { readonly master: string; readonly signal: AbortSignal },
): Promise<void> {
  const before = await readReloads(master);
  await proxy.kill('SIGUSR2');
  // The end of a test may stop it meanwhile.
  const after = await waitFor(`${proxy.name} to reload`, () => (proxy.running ? readReloads(master) : undefined), {
    ...{ intervalMs: 2, signal },
    until: (now) => now === undefined || now.done > before.done || now.failed > before.failed,
  });
  if (after === undefined) throw new Error(`${proxy.name} was stopped during its reload`);
  if (after.failed > before.failed) throw new Error(`${proxy.name} refused the config and runs on with the old one`);
}

/** twemproxy; it has no reload. */
export async function nutcracker(ground: Ground, desk: ControlDesk, options: ProxyOptions): Promise<ProxyServer> {
  const { name = 'nutcracker', program = 'nutcracker', configFile } = options;
  const stats = await ground.addresses.next();
  // Its statistics listen on all addresses, on 22222, and are summed up every 30 seconds by default.
  const where = ['-a', stats.host, '-s', String(stats.port), '-i', '100'] as const;
  const argv = [program, '-c', configFile, ...where, '-v', '5'] as const;
  const ready = () => accepts(options.listen ?? stats);
  const proxy = new ProxyServer({ ...ground.server(name, argv), ready, readyIntervalMs: 2 });
  proxy.restartCommand = await desk.command(`restart-${name}`, () => proxy.restart());
  proxy.reloadCommand = proxy.restartCommand;
  proxy.stats = stats;
  if (options.start !== 'later') await proxy.start();
  return proxy;
}

/** True when a TCP connection to the address is accepted within five seconds. */
export function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 5_000 });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}
