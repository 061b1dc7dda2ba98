import { matchesAny } from './glob.ts';

/** What a program gets of the daemon's environment, and in addition to it. */
export interface ProgramEnv {
  /** `none`: only `custom`. */
  readonly inherit: 'all' | 'none';
  /** Patterns of the names that it gets. Empty: every name. */
  readonly allowlist: readonly string[];
  /** Patterns of the names that it does not get, also if `allowlist` has them. */
  readonly denylist: readonly string[];
  /** Variables that it gets whatever the lists say. */
  readonly custom: Readonly<Record<string, string>>;
}

/** Whether a variable is a secret of the daemon. Programs do not need it, and their output is shown. */
export function isDaemonSecret(name: string): boolean {
  return /^(?:CONSUL_HTTP_(?:AUTH|TOKEN)|SWITCHMASTER_API_TOKEN|SWITCHMASTER_(?:\w+_)?PASSWORD)$/.test(name);
}

/** The unit of systemd sets it for the daemon's own memory. A proxy that it starts has other needs. */
const ownVariable = 'MALLOC_TRIM_THRESHOLD_';

/** The environment of a program. Without `spec`, it is the daemon's, without the daemon's secrets and what is for the daemon alone. */
export function selectEnv(own: NodeJS.ProcessEnv, spec?: ProgramEnv): NodeJS.ProcessEnv {
  const isForPrograms = (name: string) => !isDaemonSecret(name) && name !== ownVariable;
  const isInherited = (name: string) => isForPrograms(name) && (spec === undefined || passes(name, spec));
  return { ...Object.fromEntries(Object.entries(own).filter(([name]) => isInherited(name))), ...spec?.custom };
}

function passes(name: string, { inherit, allowlist, denylist }: ProgramEnv): boolean {
  const isAllowed = allowlist.length === 0 || matchesAny(allowlist, name);
  return inherit === 'all' && isAllowed && !matchesAny(denylist, name);
}
