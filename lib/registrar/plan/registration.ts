import { type Address, formatAddress, sameAddress } from '../../model/address.ts';
import type { CheckStatus } from '../../model/catalog.ts';
import type { ClusterRecord } from '../../model/cluster.ts';
import {
  type CheckDefinition,
  type HeldService,
  type InstanceSpec,
  type Registration,
  registrarMeta,
  serviceOf,
} from '../../model/instance.ts';
import { dnsSafe, type Naming } from '../../model/naming.ts';
import type { InstanceProfile } from '../../model/probe-result.ts';
import type { MasterRecord } from '../../model/record.ts';
import type { ExpectedRole } from './health.ts';

/** What is known of an instance when its registration is planned. */
export interface InstanceWorld {
  readonly naming: Naming;
  readonly spec: InstanceSpec;
  /** undefined until it told of itself: what is registered then stays as it is. */
  readonly profile: InstanceProfile | undefined;
  /** Likewise. */
  readonly version: string | undefined;
  readonly standing: Standing;
  readonly says: { readonly status: CheckStatus; readonly output: string };
  /** Whether it can be connected to: what Consul's own check begins with. */
  readonly reachable: boolean;
}

/** What the records say about an instance. */
export interface Standing {
  /** Of the master, or of the cluster. */
  readonly name: string | undefined;
  readonly role: ExpectedRole;
}

export type InstanceAction =
  | { readonly kind: 'register'; readonly registration: Registration; readonly why: string }
  | {
      readonly kind: 'report';
      readonly checkId: string;
      readonly says: { readonly status: CheckStatus; readonly output: string };
    };

/** The steps from what the agent holds to what it must hold; none where that is the same. */
export function planInstance(world: InstanceWorld, held: HeldService | undefined): readonly InstanceAction[] {
  const registration = wantedRegistration(world, held);
  const { says } = world;
  const checkId = deepCheckId(world.spec.id);
  const why = held === undefined ? 'it was not registered' : difference(registration, held);
  const heldCheck = held?.checks.find(({ id }) => id === checkId);
  // A check that is registered anew begins with our status but without output.
  const told = heldCheck?.status === says.status && heldCheck.output === says.output;
  return [
    ...(why === undefined ? [] : [{ kind: 'register', registration, why } as const]),
    ...(told ? [] : [{ kind: 'report', checkId, says } as const]),
  ];
}

/** Why a service of the agent that has an instance's id is not to be touched; undefined where some registrar registered it. */
export function foreignService({ id, service, meta }: HeldService): string | undefined {
  if (Object.hasOwn(meta, registrarMeta)) return undefined;
  return `not registered: the id ${id} belongs to a service ${service} of somebody else (it has no meta ${registrarMeta}); consul services deregister -id ${id}, or give that one another id`;
}

export function deepCheckId(id: string): string {
  return `${id}:switchmaster`;
}

/**
 * Ids of what this registrar registered and nobody wants any more. What was found by a record stays for as long as that
 * record is missing: a Consul that lost its keys says nothing about this node's processes.
 */
export function planRemoval(
  held: readonly HeldService[],
  wanted: { readonly ids: ReadonlySet<string>; readonly registrar: string; readonly recorded: ReadonlySet<string> },
): readonly string[] {
  const { ids, registrar, recorded } = wanted;
  return held
    .filter(({ id, meta }) => meta[registrarMeta] === registrar && !ids.has(id))
    .filter(({ meta }) => meta.discovered !== 'true' || recorded.has(meta.name ?? ''))
    .map(({ id }) => id);
}

/** Who registers: the environment, so that the registrars of two environments leave each other's services alone. */
export function registrarName({ environment }: Naming): string {
  return environment ?? 'default';
}

/** Where a process can be meant when another speaks of it: what it announces, or every address of this node. */
export function identitiesOf(
  spec: InstanceSpec,
  known: { readonly profile: InstanceProfile | undefined; readonly nodeHosts: readonly string[] },
): readonly Address[] {
  const { profile, nodeHosts } = known;
  const own = announcedAddress(spec, profile);
  const port = own.port;
  const hosts = isThisNode(spec.address.host) ? nodeHosts : [];
  return [own, spec.address, ...hosts.map((host) => ({ host, port }))];
}

/** What the records say of a Redis at one of `identities`. */
export function standingOf(
  spec: InstanceSpec,
  seen: { readonly identities: readonly Address[]; readonly records: readonly MasterRecord[] },
): Standing {
  const is = (address: Address) => seen.identities.some((identity) => sameAddress(identity, address));
  const listing = ({ master, replicas }: MasterRecord) => is(master) || replicas.some(is);
  const record =
    spec.name === undefined ? seen.records.find(listing) : seen.records.find(({ name }) => name === spec.name);
  if (record === undefined) return { name: spec.name, role: 'unknown' };
  return { name: record.name, role: is(record.master) ? 'master' : 'replica' };
}

/** What a cluster's record says of a node at one of `identities`. */
export function clusterStandingOf(
  spec: InstanceSpec,
  seen: { readonly identities: readonly Address[]; readonly record: ClusterRecord | undefined },
): Standing {
  const is = (address: Address) => seen.identities.some((identity) => sameAddress(identity, address));
  const name = spec.name ?? seen.record?.name;
  for (const { master, replicas } of seen.record?.shards ?? []) {
    if (master !== null && is(master)) return { name, role: 'master' };
    if (replicas.some(is)) return { name, role: 'replica' };
  }
  return { name, role: 'unknown' };
}

function wantedRegistration(world: InstanceWorld, held: HeldService | undefined): Registration {
  const { naming, spec, profile, standing } = world;
  const { host, port } = announcedAddress(spec, profile);
  const stays = profile === undefined && held !== undefined && spec.announce === undefined;
  const version = world.version ?? held?.meta.version;
  const slots = profile === undefined ? held?.meta.slots : profile.slots;
  const checks = checksOf(world);
  const role = spec.kind === 'redis' || spec.kind === 'cluster' ? standing.role : 'unknown';
  return {
    id: spec.id,
    service: serviceOf[spec.kind],
    address: stays ? held.address : isThisNode(host) ? '' : host,
    port: stays ? held.port : port,
    tags: tagsOf(world),
    meta: {
      ...spec.meta,
      [registrarMeta]: registrarName(naming),
      kind: spec.kind,
      checks: checks.map(describeCheck).join('; '),
      ...(standing.name === undefined ? {} : { name: standing.name }),
      ...(role === 'unknown' ? {} : { role }),
      ...(version === undefined ? {} : { version }),
      ...(slots === undefined ? {} : { slots: slots.slice(0, maxMetaLength) }),
      ...(spec.origin === 'discovered' ? { discovered: 'true' } : {}),
    },
    checks,
  };
}

function tagsOf({ naming, spec, standing }: InstanceWorld): readonly string[] {
  const environment = naming.environment === undefined ? [] : [naming.environment];
  const own = (): readonly string[] => {
    switch (spec.kind) {
      case 'redis':
      case 'cluster': {
        const name = standing.name === undefined ? [] : [dnsSafe(standing.name)];
        return [...name, ...(standing.role === 'unknown' ? [] : [standing.role])];
      }
      case 'sentinel':
        return [];
      case 'twemproxy':
      case 'haproxy':
        return [spec.kind];
    }
  };
  return [...new Set([...own(), ...environment, ...spec.tags])];
}

function checksOf({ spec, says, reachable }: InstanceWorld): readonly CheckDefinition[] {
  const { consulIntervalMs, consulTimeoutMs, httpUrl, deregisterCriticalServiceAfterMs } = spec.checks;
  const common = {
    id: `${spec.id}:consul`,
    status: reachable ? 'passing' : 'critical',
    output: '',
    intervalMs: consulIntervalMs,
    timeoutMs: consulTimeoutMs,
    ...(deregisterCriticalServiceAfterMs === undefined ? {} : { deregisterAfterMs: deregisterCriticalServiceAfterMs }),
  } as const;
  return [
    httpUrl === undefined
      ? { ...common, kind: 'tcp', name: 'Accepts connections', target: formatAddress(spec.address) }
      : { ...common, kind: 'http', name: 'Answers HTTP', target: httpUrl },
    { kind: 'report', id: deepCheckId(spec.id), name: 'Looked at by switchmaster', ...says },
  ];
}

/** The agent does not tell how its checks were defined: the service's meta does, so that a change of it is seen. */
function describeCheck(check: CheckDefinition): string {
  if (check.kind === 'report') return 'report';
  const reaped = check.deregisterAfterMs === undefined ? '' : ` reaped after ${check.deregisterAfterMs}ms`;
  return `${check.kind} ${check.target} every ${check.intervalMs}ms within ${check.timeoutMs}ms${reaped}`;
}

/** Why it must be registered again; undefined where the agent holds the same. */
function difference(wanted: Registration, held: HeldService): string | undefined {
  if (wanted.service !== held.service) return 'its service changed';
  if (wanted.address !== held.address || wanted.port !== held.port) return 'its address changed';
  if (wanted.tags.join(',') !== held.tags.join(',')) return `its tags changed to ${wanted.tags.join(', ')}`;
  const keys = new Set([...Object.keys(wanted.meta), ...Object.keys(held.meta)]);
  const changed = [...keys].filter((key) => wanted.meta[key] !== held.meta[key]);
  if (changed.length > 0) return `its meta changed: ${changed.join(', ')}`;
  const missing = wanted.checks.filter(({ id }) => !held.checks.some((check) => check.id === id));
  return missing.length === 0 ? undefined : `its check ${missing[0]?.id} was missing`;
}

function announcedAddress(spec: InstanceSpec, profile: InstanceProfile | undefined): Address {
  const announced = profile?.announced;
  if (spec.announce !== undefined) return spec.announce;
  return { host: announced?.host ?? spec.address.host, port: announced?.port ?? spec.address.port };
}

/** An address that means another machine on every machine cannot be told to others. */
function isThisNode(host: string): boolean {
  return host === '127.0.0.1' || host === '::1' || host === 'localhost';
}

/** Consul refuses longer values of meta (structs.go, metaValueMaxLength). */
const maxMetaLength = 512;
