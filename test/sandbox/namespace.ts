import { readlinkSync } from 'node:fs';

const outerVariable = 'SWITCHMASTER_OUTER_NETWORK';

/**
 * The argv that runs `argv` in a new network namespace, which has only the loopback interface and ends with its last
 * process. With `mounts: 'own'`, what it mounts is seen by it alone. A user without root gets a user namespace as well, and is root in it.
 */
export function inOwnNetwork(
  argv: readonly [string, ...string[]],
  { mounts = 'shared' }: { readonly mounts?: 'own' | 'shared' } = {},
): readonly [string, ...string[]] {
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const flags = [...user, '--net', ...(mounts === 'own' ? ['--mount'] : [])];
  const mark = `${outerVariable}=${networkId()}`;
  const script = 'ip link set lo up && exec "$@"';
  return ['env', mark, 'unshare', ...flags, 'sh', '-c', script, 'sh', ...argv];
}

/** Throws if this process was not started by `inOwnNetwork`: nothing may change the machine's own network. */
export function requireOwnNetwork(): void {
  const outer = process.env[outerVariable];
  if (outer === undefined || outer === networkId())
    throw new Error('this process has no network of its own: start it with inOwnNetwork');
}

function networkId(): string {
  return readlinkSync('/proc/self/ns/net');
}
