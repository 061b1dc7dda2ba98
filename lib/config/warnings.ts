import path from 'node:path';
import { formatAddress } from '../model/address.ts';
import { packageFolder } from './bundled.ts';
import type { Config } from './model.ts';
import type { Problem } from './problem.ts';

/** Warnings about a valid config that probably does not do what its author wants. */
export function findWarnings({ templates }: Pick<Config, 'templates'>): readonly Problem[] {
  return templates.flatMap((template, i) => {
    const { reload, source, vars } = template;
    if (reload?.kind !== 'haproxy' || !isBundledHaproxy(source)) return [];
    const asked = typeof reload.socket === 'string' ? reload.socket : formatAddress(reload.socket);
    const rendered = typeof vars.stats_socket === 'string' ? vars.stats_socket : defaultStatsSocket;
    if (withoutFamily(rendered) === asked) return [];
    const message = `is ${asked}, but the template makes HAProxy listen at ${rendered}: every failover would be a reload`;
    const hint = `set templates[${i}].vars.stats_socket to ${asked}, or the socket to ${rendered}`;
    return [{ path: `templates[${i}].reload.haproxy.socket`, message, hint }];
  });
}

/** The default of `stats_socket` in the bundled templates. */
const defaultStatsSocket = '/run/haproxy/admin.sock';

const bundledHaproxy: readonly string[] = ['haproxy.cfg.hbs', 'redis-cluster-haproxy.cfg.hbs'];

function isBundledHaproxy(source: string): boolean {
  return bundledHaproxy.some((name) => source === path.join(packageFolder, 'templates', name));
}

/** HAProxy also accepts an address as `ipv4@127.0.0.1:9999`, and a path as `unix@/path`. */
function withoutFamily(socket: string): string {
  return socket.replace(/^(ipv4|ipv6|unix)@/, '');
}
