import type { CheckSettings, InstanceSpec } from '../model/instance.ts';
import { instanceId } from '../model/instance.ts';
import { resolveAccess } from './access.ts';
import type { RegisterConfig } from './model.ts';
import type { RawInstance } from './register-schema.ts';
import type { Resolution } from './resolution.ts';

/** Each entry with its credentials. Whatever an entry of its kind cannot have is reported. */
export async function resolveRegister(resolution: Resolution, raw: readonly RawInstance[]): Promise<RegisterConfig> {
  const instances: RegisterConfig['instances'][number][] = [];
  const discoveries: RegisterConfig['discoveries'][number][] = [];
  const seen = new Map<string, number>();
  for (const [i, entry] of raw.entries()) {
    checkEntry(resolution, { entry, index: i });
    const variable = entry.kind === 'sentinel' ? 'SWITCHMASTER_SENTINEL_PASSWORD' : 'SWITCHMASTER_REDIS_PASSWORD';
    const access = await resolveAccess(resolution, { raw: entry, at: ['register', i], variable });
    const pattern = patternOf(entry);
    if (entry.discover !== undefined) {
      const { hosts, masters } = entry.discover === true ? { hosts: [], masters: ['*'] } : entry.discover;
      discoveries.push({ discovery: { pattern, hosts }, masters, access });
    } else if (entry.address !== undefined) {
      const id = instanceId(entry.kind, entry.address);
      const twin = seen.get(id);
      if (twin !== undefined) {
        const message = `is registered by register[${twin}] already`;
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

function checkEntry(resolution: Resolution, given: { readonly entry: RawInstance; readonly index: number }): void {
  const { entry, index } = given;
  const report = (key: string, message: string, hint?: string): void =>
    resolution.report({ at: ['register', index, key] }, { message, ...(hint === undefined ? {} : { hint }) });
  if (entry.address === undefined && entry.discover === undefined) {
    report('address', 'is missing', 'write address: "host:port"');
  }
  if (entry.discover !== undefined) {
    if (entry.kind !== 'redis') report('discover', `only redis can be discovered, not ${entry.kind}`);
    for (const key of ['address', 'name', 'announce'] as const) {
      if (entry[key] !== undefined) report(key, 'cannot stand beside discover, which finds it');
    }
  }
  if (entry.kind === 'cluster' && entry.name === undefined) {
    report('name', 'is missing: the name of the cluster', 'write the name that the cluster section has');
  }
  const proxy = entry.kind === 'twemproxy' || entry.kind === 'haproxy';
  if (entry.stats !== undefined && !proxy) report('stats', `only twemproxy and haproxy have stats, not ${entry.kind}`);
}
