import { readlinkSync } from 'node:fs';

const outerVariable = 'SWITCHMASTER_OUTER_NETWORK';

/**
 * The argv that runs `argv` in a network of its own: a new network namespace with nothing in it but the loopback
 * interface, which ends with its last process. Who is not root gets a user namespace as well, and is root in there.
 */
export function inOwnNetwork(argv: readonly [string, ...string[]]): readonly [string, ...string[]] {
  const flags = process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
  const mark = `${outerVariable}=${networkId()}`;
  const script = 'ip link set lo up && exec "$@"';
  return ['env', mark, 'unshare', ...flags, 'sh', '-c', script, 'sh', ...argv];
}

/** Throws where this process was not started by `inOwnNetwork`: nothing may touch the machine's own network. */
export function requireOwnNetwork(): void {
  const outer = process.env[outerVariable];
  if (outer === undefined || outer === networkId())
    throw new Error('this process has no network of its own: start it with inOwnNetwork');
}

function networkId(): string {
  return readlinkSync('/proc/self/ns/net');
}
