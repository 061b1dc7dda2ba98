import * as z from 'zod';
import type { ConsulClient } from '../../client/consul.ts';
import { readRights } from '../../client/consul-access.ts';
import type { Config } from '../../config/model.ts';
import { ConsulPart } from '../../consul/part.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { AclRule } from '../../model/acl/rule.ts';
import type { ServiceInstance } from '../../model/catalog.ts';
import { findForeignChecks } from '../../model/foreign-check.ts';
import {
  externalNode,
  isBridgeNode,
  masterOfNode,
  masterService,
  type Naming,
  recordPrefix,
  replicaService,
} from '../../model/naming.ts';
import { readOtherEnvironment } from '../../model/other-environment.ts';
import { type RecordsReading, readRecords } from '../../model/records.ts';
import type { ConsulDns, ExaminedClock, ExaminedConsul } from '../examination.ts';
import { compareClocks } from './clock.ts';
import { readMaintenance } from './maintenance.ts';

const timeoutMs = 3_000;

interface ConsulFindings {
  readonly consul: ExaminedConsul;
  readonly clock?: ExaminedClock;
}

/** The agent's version, its DNS settings, its clock, the records, and those of `rules` that its token lacks. */
export async function examineConsul(
  { consul: config, environment }: Pick<Config, 'consul' | 'environment'>,
  { rules, dnsRules }: { readonly rules: readonly AclRule[]; readonly dnsRules: readonly AclRule[] },
): Promise<ConsulFindings> {
  const part = new ConsulPart(config);
  const { client } = part;
  try {
    await client.proveScope({ timeoutMs });
    const sentMs = Date.now();
    const { knownLeader, servedAtMs = Number.NaN } = await client.read({ kind: 'datacenters' }, { timeoutMs });
    // An HTTP date is truncated to the second.
    const read = { theirsMs: servedAtMs + 500, resolutionMs: 500, sentMs, receivedMs: Date.now() };
    const clock = compareClocks('consul', read);
    const [self, missingRules, missingForDns, services, records, maintenance, leader] = await Promise.all([
      readSelf(client),
      readMissing(client, rules),
      readMissingForDns(config, dnsRules),
      readServices(client),
      readAllRecords(client, { environment }),
      readMaintenance(client, { environment }),
      client.send({ method: 'get', path: '/status/leader', what: 'the leader' }, { timeoutMs }).catch(() => ''),
    ]);
    const hasLeader = knownLeader && typeof leader === 'string' && leader !== '';
    const consul = {
      state: { kind: 'reached' },
      leader: hasLeader,
      scope: client.scope,
      version: self?.version,
      dns: self?.dns,
      missingRules,
      missingForDns,
      foreign: findForeign(services, { environment }),
      otherEnvironments: services.flatMap((instance) =>
        instance.name === masterService ? (readOtherEnvironment(instance, { environment }) ?? []) : [],
      ),
      foreignChecks: groupForeignChecks(services, { environment }),
      records,
      maintenance,
    } as const;
    return { consul, ...(clock === undefined ? {} : { clock }) };
  } catch (thrown) {
    const error = SwitchmasterError.from(thrown);
    if (error.code === 'consul-unavailable') {
      return { consul: { ...nothing, scope: client.scope, state: { kind: 'reached' } } };
    }
    return { consul: { ...nothing, scope: client.scope, state: { kind: 'unreachable', why: error.message } } };
  } finally {
    await part.stop();
  }
}

const nothing = { leader: false, version: undefined, dns: undefined, missingRules: undefined } as const;

const selfShape = z.object({
  Config: z.object({ Version: z.string() }),
  DebugConfig: z
    .object({
      DNSOnlyPassing: z.boolean(),
      DNSNodeTTL: z.string(),
      DNSServiceTTL: z.record(z.string(), z.string()),
    })
    .optional()
    .catch(undefined),
});

/** Returns undefined if the token lacks agent:read. */
async function readSelf(
  client: ConsulClient,
): Promise<{ readonly version: string; readonly dns: ConsulDns | undefined } | undefined> {
  const answer = await client
    .send({ method: 'get', path: '/agent/self', what: 'the agent itself' }, { timeoutMs })
    .catch(() => undefined);
  const self = selfShape.safeParse(answer);
  if (!self.success) return undefined;
  const { Config, DebugConfig: debug } = self.data;
  if (debug === undefined) return { version: Config.Version, dns: undefined };
  const ttls = Object.entries(debug.DNSServiceTTL).map(([name, text]) => [name, readGoDuration(text)] as const);
  const dns = {
    onlyPassing: debug.DNSOnlyPassing,
    nodeTtlMs: readGoDuration(debug.DNSNodeTTL),
    serviceTtlMs: Object.fromEntries(ttls),
  };
  return { version: Config.Version, dns };
}

/** The services of masters and replicas. Empty if the token may not read them: the rule `acl-missing` reports that. */
async function readServices(client: ConsulClient): Promise<readonly ServiceInstance[]> {
  const read = (service: string) =>
    client.read({ kind: 'service', service }, { timeoutMs }).then(
      ({ value }) => value,
      () => [],
    );
  return (await Promise.all([masterService, replicaService].map(read))).flat();
}

function findForeign(instances: readonly ServiceInstance[], naming: Naming): NonNullable<ExaminedConsul['foreign']> {
  return instances.filter(
    ({ node, nodeMeta, tags }) => !isBridgeNode(nodeMeta) && !tags.some((tag) => externalNode(naming, tag) === node),
  );
}

function groupForeignChecks(
  instances: readonly ServiceInstance[],
  naming: Naming,
): NonNullable<ExaminedConsul['foreignChecks']> {
  const byMaster = Map.groupBy(instances, ({ nodeMeta }) => masterOfNode(naming, nodeMeta) ?? '');
  return new Map([...byMaster].map(([master, list]) => [master, findForeignChecks(list)]));
}

/** Returns undefined if the token may not read them. */
async function readAllRecords(client: ConsulClient, naming: Naming): Promise<RecordsReading | undefined> {
  const prefix = recordPrefix(naming);
  return client.read({ kind: 'key-tree', prefix }, { timeoutMs }).then(
    ({ value }) => readRecords(value, prefix),
    () => undefined,
  );
}

/** Returns undefined if ACLs are off or the agent does not answer it. */
export async function readMissing(
  client: ConsulClient,
  rules: readonly AclRule[],
): Promise<readonly string[] | undefined> {
  const allowed = await readRights(client, rules, { timeoutMs }).catch(() => undefined);
  return allowed === undefined
    ? undefined
    : rules
        .filter((_, i) => allowed[i] === false)
        .map(({ resource, segment, policy }) => `${resource} ${JSON.stringify(segment)} ${policy}`);
}

/** The agent gives a request without a token the token that its DNS has too, except acl.tokens.dns of Consul 1.17 and later. */
async function readMissingForDns(
  config: Config['consul'],
  dnsRules: readonly AclRule[],
): Promise<readonly string[] | undefined> {
  if (dnsRules.length === 0) return undefined;
  const { token: _, ...anonymous } = config;
  const part = new ConsulPart(anonymous);
  try {
    return await readMissing(part.client, dnsRules);
  } finally {
    await part.stop();
  }
}

const unitMs: Readonly<Record<string, number>> = { ns: 1e-6, µs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Parses the format of Go: `1h2m3.5s`. */
function readGoDuration(text: string): number {
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/([\d.]+)(ns|µs|ms|s|m|h)/g))
    totalMs += Number(count) * (unitMs[unit ?? ''] ?? 0);
  return totalMs;
}
