import { formatAddress } from '../model/address.ts';
import { takesFile } from '../model/template-spec.ts';
import { findBindConflicts } from './binds.ts';
import { isBundled } from './bundled.ts';
import type { Config } from './model.ts';
import type { Problem } from './problem.ts';

/** Warnings about a valid config that probably does not do what its author wants. */
export function findWarnings(
  config: Pick<Config, 'templates' | 'api' | 'sentinelEndpoint' | 'warnings'>,
): readonly Problem[] {
  const { templates } = config;
  return [
    ...config.warnings,
    ...templates.flatMap((template, i) => {
      const path = `templates[${i}]`;
      return [
        ...findCheckWarnings(template, path),
        ...findSocketWarnings(template, path),
        ...findPortWarnings(template, path),
      ];
    }),
    ...findBindConflicts(config),
  ];
}

type Template = Config['templates'][number];

function findCheckWarnings({ check, destination }: Template, path: string): readonly Problem[] {
  if (check === undefined || takesFile(check.argv)) return [];
  if (!check.argv.some((word) => word.includes(destination))) return [];
  const message = `checks ${destination}, which has the former text then, and not the new one`;
  return [{ path: `${path}.check`, message, hint: 'write {{file}} in place of the path' }];
}

function findSocketWarnings({ reload, source, vars }: Template, path: string): readonly Problem[] {
  if (reload?.kind !== 'haproxy' || !isBundled(source, bundledHaproxy)) return [];
  const asked = typeof reload.socket === 'string' ? reload.socket : formatAddress(reload.socket);
  const rendered = typeof vars.stats_socket === 'string' ? vars.stats_socket : defaultStatsSocket;
  if (withoutFamily(rendered) === asked) return [];
  const message = `is ${asked}, but the template makes HAProxy listen at ${rendered}: every failover would be a reload`;
  const hint = `set ${path}.vars.stats_socket to ${asked}, or the socket to ${rendered}`;
  return [{ path: `${path}.reload.haproxy.socket`, message, hint }];
}

/** A listener's port belongs to one master for good, so the config names it. */
function findPortWarnings({ source, vars }: Template, path: string): readonly Problem[] {
  if (!isBundled(source, withPorts)) return [];
  const hint = `name a port for each master in ${path}.vars.ports, for example { shard1: 16379, shard2: 16380 }`;
  const former = { path: `${path}.vars.base_port`, message: 'has no effect any more', hint };
  const missing = { path: `${path}.vars.ports`, message: 'is missing, so no master gets a listener', hint };
  const needed = vars.ports === undefined && vars.twemproxy_bind === undefined;
  return [...(vars.base_port === undefined ? [] : [former]), ...(needed ? [missing] : [])];
}

/** The default of `stats_socket` in the bundled templates. */
const defaultStatsSocket = '/run/haproxy/admin.sock';

const bundledHaproxy: readonly string[] = ['haproxy.cfg.hbs', 'redis-cluster-haproxy.cfg.hbs'];

const withPorts: readonly string[] = ['haproxy.cfg.hbs', 'twemproxy-stable.yml.hbs'];

/** HAProxy also accepts an address as `ipv4@127.0.0.1:9999`, and a path as `unix@/path`. */
function withoutFamily(socket: string): string {
  return socket.replace(/^(ipv4|ipv6|unix)@/, '');
}
