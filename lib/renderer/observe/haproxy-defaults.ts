import { existsSync, readFileSync } from 'node:fs';
import type { HaproxyDefaults } from '../../template/scope.ts';

/** As in the haproxy.cfg of Debian's package. */
const debian = { user: 'haproxy', group: 'haproxy', chroot: '/var/lib/haproxy', log: '/dev/log' } as const;

let found: HaproxyDefaults | undefined;

/**
 * What this machine has of {@link debian}. The first three only where the daemon runs as root, or may change owners as the
 * packaged unit does, because only then can the HAProxy that it configures be expected to start as root: HAProxy does not start
 * if it may not change its user.
 */
export function findHaproxyDefaults(): HaproxyDefaults {
  found ??= {
    ...(process.getuid?.() === 0 || mayChangeOwners(readOwnStatus()) ? findAccount() : {}),
    ...(existsSync(debian.log) ? { log: debian.log } : {}),
  };
  return found;
}

/** Whether such a `/proc/PID/status` has CAP_CHOWN, the first bit of the effective capabilities (capabilities(7)). */
export function mayChangeOwners(status: string): boolean {
  const [, mask = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return (BigInt(`0x${mask}`) & 1n) === 1n;
}

function readOwnStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8');
  } catch {
    return '';
  }
}

function findAccount(): Omit<HaproxyDefaults, 'log'> {
  const { user, group, chroot } = debian;
  return {
    ...(isListed('/etc/passwd', user) ? { user } : {}),
    ...(isListed('/etc/group', group) ? { group } : {}),
    ...(existsSync(chroot) ? { chroot } : {}),
  };
}

function isListed(database: string, name: string): boolean {
  try {
    return readFileSync(database, 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  } catch {
    return false;
  }
}
