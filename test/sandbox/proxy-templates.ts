import { type Address, formatAddress } from '../../lib/model/address.ts';

/* The entries of `templates` for both proxies, which the demo and a bench render. */

/** HAProxy, changed over its socket; `ports` by master. */
export function haproxyTemplate(given: {
  readonly destination: string;
  readonly socket: string;
  readonly reloadCommand: readonly string[];
  readonly listeners: { readonly bind: string; readonly ports: Readonly<Record<string, number>> };
}) {
  const { destination, socket, reloadCommand, listeners } = given;
  return {
    source: 'haproxy.cfg.hbs',
    destination,
    check: ['haproxy', '-c', '-f', '{{file}}'],
    reload: { haproxy: { socket, fallback: reloadCommand } },
    vars: { stats_socket: socket, ...listeners },
  };
}

/** One pool of twemproxy over all masters. */
export function twemproxyTemplate(given: {
  readonly destination: string;
  readonly restartCommand: readonly string[];
  readonly listen: Address;
}) {
  const { destination, restartCommand, listen } = given;
  return {
    source: 'twemproxy.yml.hbs',
    destination,
    check: ['nutcracker', '--test-conf', '--conf-file', '{{file}}'],
    reload: { command: restartCommand },
    vars: { listen: formatAddress(listen) },
  };
}
