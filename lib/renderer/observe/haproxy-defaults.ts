import { existsSync, readFileSync } from 'node:fs';
import type { ReloadSpec } from '../../model/template-spec.ts';
import type { HaproxyDefaults } from '../../template/scope.ts';

/** As in the haproxy.cfg of Debian's package. */
const debian = { user: 'haproxy', group: 'haproxy', chroot: '/var/lib/haproxy', log: '/dev/log' } as const;

interface Machine {
  readonly log: Pick<HaproxyDefaults, 'log'>;
  readonly account: Omit<HaproxyDefaults, 'log'>;
  readonly daemon: Daemon;
}

interface Daemon {
  readonly uid: number | undefined;
  /** Its `/proc/PID/status`. */
  readonly status: string;
}

let machine: Machine | undefined;

/**
 * What this machine has of {@link debian}. The first three only where HAProxy can be expected to start as root: it does not start
 * if it may not change its user. `reload`: that of the template.
 */
export function findHaproxyDefaults(reload: Pick<ReloadSpec, 'kind'> | undefined): HaproxyDefaults {
  machine ??= {
    log: existsSync(debian.log) ? { log: debian.log } : {},
    account: findAccount(),
    daemon: { uid: process.getuid?.(), status: readOwnStatus() },
  };
  const { log, account, daemon } = machine;
  return mayStartAsRoot(daemon, reload) ? { ...account, ...log } : log;
}

/**
 * Whether the HAProxy that the daemon configures may start as root. One that the daemon supervises starts as the daemon does.
 * For another one, the daemon runs as root, or may change owners as the packaged unit does: CAP_CHOWN is the first bit of the
 * effective capabilities (capabilities(7)).
 */
export function mayStartAsRoot({ uid, status }: Daemon, reload: Pick<ReloadSpec, 'kind'> | undefined): boolean {
  if (uid === 0) return true;
  if (reload?.kind === 'supervise') return false;
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
