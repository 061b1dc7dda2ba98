import type { CheckSettings, InstanceSpec } from '../model/instance.ts';
import { instanceId } from '../model/instance.ts';
import { instanceKind, kindsSupporting } from '../model/instance-kinds.ts';
import { isRoleTag } from '../model/naming.ts';
import { resolveAccess } from './access.ts';
import type { RegisterConfig } from './model.ts';
import type { RawInstance } from './register-schema.ts';
import type { Resolution } from './resolution.ts';

/** Resolves each entry with its credentials, and reports every problem of every entry. */
export async function resolveRegister(resolution: Resolution, raw: readonly RawInstance[]): Promise<RegisterConfig> {
  const instances: RegisterConfig['instances'][number][] = [];
  const discoveries: RegisterConfig['discoveries'][number][] = [];
  const seen = new Map<string, number>();
  for (const [i, entry] of raw.entries()) {
    checkEntry(resolution, { entry, index: i });
    const variable = instanceKind(entry.kind).passwordVariable;
    const access = await resolveAccess(resolution, { raw: entry, at: ['register', i], variable });
    const pattern = patternOf(entry);
    if (entry.discover !== undefined) {
      const { hosts, masters } = entry.discover;
      discoveries.push({ discovery: { pattern, hosts }, masters, access });
    } else if (entry.address !== undefined) {
      const id = instanceId(entry.kind, entry.address);
      const first = seen.get(id);
      if (first !== undefined) {
        const message = `is the same instance as register[${first}]`;
        resolution.report({ at: ['register', i, 'address'] }, { message });
      }
      seen.set(id, i);
      const name = entry.name === undefined ? {} : { name: entry.name };
      instances.push({ spec: { ...pattern, ...name, id, address: entry.address, origin: 'configured' }, access });
    }
  }
  return { instances, discoveries };
}

function patternOf(entry: RawInstance): Omit<InstanceSpec, 'id' | 'name' | 'address' | 'origin'> {
  return {
    kind: entry.kind,
    ...(entry.announce === undefined ? {} : { announce: entry.announce }),
    tags: entry.tags,
    meta: entry.meta,
    checks: checksOf(entry.check),
    ...(entry.stats === undefined ? {} : { stats: entry.stats }),
    deregisterOnStop: entry.deregisterOnStop,
    isolation: entry.isolation ?? (instanceKind(entry.kind).isolation === 'supported' ? 'pause' : 'ignore'),
  };
}

function checksOf(raw: RawInstance['check']): CheckSettings {
  const after = raw.deregisterCriticalServiceAfter;
  return {
    intervalMs: raw.interval,
    timeoutMs: raw.timeout,
    consulIntervalMs: raw.consulInterval,
    consulTimeoutMs: raw.consulTimeout,
    ...(raw.http === undefined ? {} : { httpUrl: raw.http }),
    fall: raw.fall,
    rise: raw.rise,
    maxLagMs: raw.maxLag,
    maxLinkDownMs: raw.maxLinkDown,
    ...(after === undefined ? {} : { deregisterCriticalServiceAfterMs: after }),
  };
}

type Report = (key: string, problem: { readonly message: string; readonly hint?: string }) => void;

/** Reports what an entry lacks, and what an entry of its kind cannot have. */
function checkEntry(resolution: Resolution, given: { readonly entry: RawInstance; readonly index: number }): void {
  const { entry, index } = given;
  const kind = instanceKind(entry.kind);
  const report: Report = (key, problem) => resolution.report({ at: ['register', index, key] }, problem);
  const unsupported = (key: 'discover' | 'stats' | 'isolation'): void => {
    if (entry[key] === undefined || kind[key] === 'supported') return;
    report(key, { message: `is not supported for ${entry.kind}, only for ${kindsSupporting(key).join(' and ')}` });
  };
  if (entry.address === undefined && entry.discover === undefined) {
    report('address', { message: 'is missing', hint: 'write address: "host:port"' });
  }
  unsupported('discover');
  unsupported('stats');
  unsupported('isolation');
  checkSocket(entry, report);
  const role = kind.tags === 'name and role' ? entry.tags.find(isRoleTag) : undefined;
  if (role !== undefined) {
    const hint = 'leave it out: the registrar sets the tag of the role that the record has';
    report('tags', { message: `contains ${role}, which Consul's DNS takes for the role`, hint });
  }
  for (const key of ['address', 'name', 'announce'] as const) {
    if (entry.discover === undefined || entry[key] === undefined) continue;
    report(key, { message: 'cannot be combined with discover, which finds it', hint: `remove ${key} or discover` });
  }
  if (kind.name === 'required' && entry.name === undefined) {
    report('name', { message: 'is missing', hint: 'write the name that the section cluster has for it' });
  }
}

function checkSocket({ kind, address, tls }: RawInstance, report: Report): void {
  if (typeof address !== 'string') return;
  if (instanceKind(kind).socket === 'unsupported') {
    const message = `cannot be a socket for ${kind}, only for ${kindsSupporting('socket').join(', ')}`;
    report('address', { message, hint: 'write address: "host:port"' });
  }
  if (tls !== false) report('tls', { message: 'has no effect on a socket', hint: 'remove tls' });
}
