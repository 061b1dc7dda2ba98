import { connect } from 'node:net';
import type { Address } from '../../lib/model/address.ts';
import type { ControlDesk } from './control.ts';
import type { Ground } from './ground.ts';
import { Server } from './server.ts';

export type ProxyOptions = {
  /** Default `haproxy` or `nutcracker`. */
  name?: string;
  /** Need not exist before `start`. */
  configFile: string;
  /** A listener of the config, which accepts connections when `start` has answered. Default: `start` does not wait. */
  listen?: Address;
  /** Default `now`. `later` leaves `start`, or the restart command, to the caller. */
  start?: 'now' | 'later';
};

/** A proxy under the sandbox's care, with the commands by which a daemon moves it to a new config. */
export class ProxyServer extends Server {
  /** Stops it, waits for its end, starts it. Starts it where it was not running. */
  restartCommand: string[] = [];
  /** HAProxy: SIGUSR2, a new worker takes over the listeners; starts it where it was not running. twemproxy: restart. */
  reloadCommand: string[] = [];
}

/** HAProxy in master-worker mode. */
export async function haproxy(ground: Ground, desk: ControlDesk, options: ProxyOptions): Promise<ProxyServer> {
  const { name = 'haproxy', configFile } = options;
  const proxy = new ProxyServer({
    ...ground.server(name, ['haproxy', '-W', '-f', configFile]),
    ...readiness(options),
  });
  proxy.restartCommand = await desk.command(`restart-${name}`, () => proxy.restart());
  proxy.reloadCommand = await desk.command(`reload-${name}`, () =>
    proxy.running ? proxy.kill('SIGUSR2') : proxy.start(),
  );
  if (options.start !== 'later') await proxy.start();
  return proxy;
}

/** twemproxy; it has no reload. */
export async function nutcracker(ground: Ground, desk: ControlDesk, options: ProxyOptions): Promise<ProxyServer> {
  const { name = 'nutcracker', configFile } = options;
  const stats = await ground.addresses.next();
  // Its statistics listen on all addresses, on 22222, unless told otherwise.
  const argv = ['nutcracker', '-c', configFile, '-a', stats.host, '-s', String(stats.port), '-v', '5'] as const;
  const proxy = new ProxyServer({
    ...ground.server(name, argv),
    ...readiness({ listen: options.listen ?? stats }),
  });
  proxy.restartCommand = await desk.command(`restart-${name}`, () => proxy.restart());
  proxy.reloadCommand = proxy.restartCommand;
  if (options.start !== 'later') await proxy.start();
  return proxy;
}

function readiness({ listen }: { listen?: Address }): { ready: () => Promise<boolean>; readyIntervalMs: number } {
  return { ready: listen === undefined ? async () => true : () => accepts(listen), readyIntervalMs: 2 };
}

/** True when a TCP connection to the address is accepted within a second. */
export function accepts(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: 1_000 });
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}
