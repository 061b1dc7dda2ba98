import { type CheckDefinition, registrarMeta } from '../../model/instance.ts';
import { longestMetaValue, shortHash } from '../../model/naming.ts';

/* The meta of a service beside what the process says. Consul refuses a registration with one value that is too long. */

type Meta = Readonly<Record<string, string>>;

/** Meta key that lists the keys of `meta` in the config, so that one that leaves the config leaves the service too. */
const configuredKeys = 'configured';
/** `configured`, and `configured-2` and so on where one value cannot hold the list. */
const isList = (key: string): boolean => /^configured(?:-\d+)?$/.test(key);

const ownKeys = [registrarMeta, 'kind', 'socket', 'checks', 'name', 'role', 'version', 'slots', 'discovered'];

/** The meta that lists the keys of the config. */
export function listConfigured(meta: Meta): Meta {
  const lists: string[] = [];
  for (const key of Object.keys(meta)) {
    const last = lists.at(-1);
    // Keys are ASCII.
    if (last === undefined || last.length + 1 + key.length > longestMetaValue) lists.push(key);
    else lists[lists.length - 1] = `${last} ${key}`;
  }
  return Object.fromEntries(lists.map((list, i) => [i === 0 ? configuredKeys : `${configuredKeys}-${i + 1}`, list]));
}

/** Meta of the registered service that somebody else set. */
export function addedMeta(held: Meta): Meta {
  const entries = Object.entries(held);
  const configured = entries.flatMap(([key, list]) => (isList(key) ? list.split(' ') : []));
  const own = new Set([...ownKeys, ...configured]);
  return Object.fromEntries(entries.filter(([key]) => !own.has(key) && !isList(key)));
}

/**
 * How the checks are defined, in words. The agent does not return it: the service's meta holds it, so that a change shows.
 * A hash ends one with a long URL.
 */
export function describeChecks(checks: readonly CheckDefinition[]): string {
  const text = checks.map(describeCheck).join('; ');
  if (Buffer.byteLength(text) <= longestMetaValue) return text;
  return `${text.slice(0, 100)}… ${shortHash(text)}`;
}

function describeCheck(check: CheckDefinition): string {
  const reaped = check.deregisterAfterMs === undefined ? '' : ` reaped after ${check.deregisterAfterMs}ms`;
  if (check.kind === 'report') return `report${reaped}`;
  return `${check.kind} ${check.target} every ${check.intervalMs}ms within ${check.timeoutMs}ms${reaped}`;
}
