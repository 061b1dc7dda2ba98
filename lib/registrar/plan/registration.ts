import { formatAddress, isNodeLocal } from '../../model/address.ts';
import type { CheckStatus } from '../../model/catalog.ts';
import type { ConsulScope } from '../../model/consul-scope.ts';
import {
  type CheckDefinition,
  type HeldService,
  type InstanceSpec,
  type Registration,
  registrarMeta,
} from '../../model/instance.ts';
import { instanceKind } from '../../model/instance-kinds.ts';
import { isRoleTag, longestMetaValue, type Naming, nameTag } from '../../model/naming.ts';
import type { InstanceProfile } from '../../model/probe-result.ts';
import { consulCommand } from '../../model/shell-words.ts';
import { announcedAddress, type RecordedRole } from './recorded-role.ts';
import { addedMeta, describeChecks, listConfigured } from './service-meta.ts';

/** Everything from which the registration of one instance is planned. */
export interface InstanceSnapshot {
  readonly naming: Naming;
  readonly spec: InstanceSpec;
  /** undefined until the instance has answered once: until then the registered address and slots remain. */
  readonly profile: InstanceProfile | undefined;
  /** undefined until then, likewise. */
  readonly version: string | undefined;
  readonly recorded: RecordedRole;
  readonly check: CheckReport;
  /** Whether it accepts connections: the initial state of Consul's own check. */
  readonly reachable: boolean;
  /** What the agent holds; undefined where it holds no such service. */
  readonly held: HeldService | undefined;
  /** Whether this registrar has registered it before. */
  readonly registeredBefore: boolean;
  /** Each tag that this registrar has given it. */
  readonly writtenTags: ReadonlySet<string>;
}

/** The state that the daemon reports for its check. */
export interface CheckReport {
  readonly status: CheckStatus;
  readonly output: string;
}

export type InstanceAction =
  | { readonly kind: 'register'; readonly registration: Registration; readonly why: string }
  | { readonly kind: 'report'; readonly checkId: string; readonly check: CheckReport };

/** The actions that turn what the agent holds into what it must hold; none where they are equal. */
export function planInstance(snapshot: InstanceSnapshot): readonly InstanceAction[] {
  if (isReaped(snapshot)) return [];
  const registration = wantedRegistration(snapshot);
  const { check, held } = snapshot;
  const checkId = deepCheckId(snapshot.spec.id);
  const why = held === undefined ? 'it was not registered' : difference(registration, held);
  const heldCheck = held?.checks.find(({ id }) => id === checkId);
  // A check that is registered again starts with our status, but without an output.
  const reported = heldCheck?.status === check.status && heldCheck.output === check.output;
  return [
    ...(why === undefined ? [] : [{ kind: 'register', registration, why } as const]),
    ...(reported ? [] : [{ kind: 'report', checkId, check } as const]),
  ];
}

/** Why the registrar must not touch the service with an instance's id; undefined where a registrar registered it. */
export function foreignService({ id, service, meta }: HeldService, scope?: ConsulScope): string | undefined {
  if (Object.hasOwn(meta, registrarMeta)) return undefined;
  const command = consulCommand('services deregister', { scope, operands: ['-id', id] });
  return `not registered: the id ${id} belongs to a service ${service} that no registrar of switchmaster registered (it has no meta ${registrarMeta}); run "${command}", or give that service another id`;
}

/** The id of the check that the daemon reports, beside Consul's own. */
export function deepCheckId(id: string): string {
  return `${id}:switchmaster`;
}

/**
 * The ids of services that this registrar registered and no longer needs. A discovered instance stays registered while
 * the record that lists it is missing: a Consul that lost its keys says nothing about the processes of this node.
 */
export function planRemoval(
  held: readonly HeldService[],
  wanted: { readonly ids: ReadonlySet<string>; readonly registrar: string; readonly recorded: ReadonlySet<string> },
): readonly string[] {
  const { ids, registrar, recorded } = wanted;
  return held
    .filter((service) => isOwn(service, registrar) && !ids.has(service.id))
    .filter(({ meta }) => meta.discovered !== 'true' || recorded.has(meta.name ?? ''))
    .map(({ id }) => id);
}

/**
 * The ids of what this registrar registered in the scope `before` and leaves there if its successor works in `next`. Without
 * a scope Consul uses that of the token, which only the answers of Consul Enterprise name: what may be there already stays. A
 * token is of the namespace `default` unless somebody chose another one.
 */
export function planMove(
  held: readonly HeldService[],
  scopes: {
    readonly before: ConsulScope | undefined;
    readonly next: ConsulScope | undefined;
    readonly registrar: string;
  },
): readonly string[] {
  const { before, next, registrar } = scopes;
  const stays = ({ scope }: HeldService) => {
    const namespace = scope?.namespace ?? before?.namespace;
    const partition = scope?.partition ?? before?.partition ?? 'default';
    if (namespace === undefined) return true;
    return (next?.namespace ?? 'default') === namespace && (next?.partition ?? partition) === partition;
  };
  return held.filter((service) => isOwn(service, registrar) && !stays(service)).map(({ id }) => id);
}

/** Whether this registrar registered the service. */
export function isOwn({ meta }: HeldService, registrar: string): boolean {
  return meta[registrarMeta] === registrar;
}

/** The registrar's name: the environment, so that registrars of two environments do not touch each other's services. */
export function registrarName({ environment }: Naming): string {
  return environment ?? 'default';
}

/** Consul has deregistered it, as the config asks: it comes back when it answers again. */
function isReaped({ held, registeredBefore, reachable, spec }: InstanceSnapshot): boolean {
  const mayBeReaped = spec.checks.deregisterCriticalServiceAfterMs !== undefined;
  return held === undefined && registeredBefore && mayBeReaped && !reachable;
}

function wantedRegistration(snapshot: InstanceSnapshot): Registration {
  const { naming, spec, profile, recorded, held } = snapshot;
  const { address, port } = wantedAddress(snapshot);
  const version = snapshot.version ?? held?.meta.version;
  const slots = profile === undefined ? held?.meta.slots : profile.slots;
  const checks = checksOf(snapshot);
  return {
    id: spec.id,
    service: instanceKind(spec.kind).service,
    address,
    port,
    tags: [...ownTags(snapshot), ...addedTags(snapshot)],
    meta: {
      ...addedMeta(held?.meta ?? {}),
      ...spec.meta,
      ...listConfigured(spec.meta),
      [registrarMeta]: registrarName(naming),
      kind: spec.kind,
      ...(typeof spec.address === 'string' ? { socket: spec.address } : {}),
      checks: describeChecks(checks),
      ...(recorded.name === undefined ? {} : { name: recorded.name }),
      ...(recorded.role === 'unknown' ? {} : { role: recorded.role }),
      ...(version === undefined ? {} : { version }),
      ...(slots === undefined ? {} : { slots: slots.slice(0, longestMetaValue) }),
      ...(spec.origin === 'discovered' ? { discovered: 'true' } : {}),
    },
    checks,
    settings: held?.settings,
  };
}

/**
 * Where others reach it: as announced, else, for an instance on a socket, where its record lists it. Without either it has
 * the node's address and port 0: Consul's field for the path of a socket is newer than the oldest supported version.
 */
function wantedAddress({ spec, profile, recorded, held }: InstanceSnapshot): Pick<Registration, 'address' | 'port'> {
  if (profile === undefined && held !== undefined && spec.announce === undefined) return held;
  const { host = recorded.address?.host, port = recorded.address?.port ?? 0 } = announcedAddress(spec, profile);
  return { address: host === undefined || isNodeLocal(host) ? '' : host, port };
}

/**
 * Tags that somebody added in the catalog, where the service lets them. The registrar's own tags stay its own, also those
 * that the agent took back from the catalog before it had written a change there (Consul does so at each full
 * synchronization): then it holds the meta of now with the tags of before.
 */
function addedTags(snapshot: InstanceSnapshot): readonly string[] {
  const { held, spec, naming, writtenTags } = snapshot;
  if (held?.settings.tagsFrom !== 'catalog') return [];
  const { name = '', role = '' } = held.meta;
  const own = new Set([...ownTags(snapshot), ...writtenTags, name, nameTag(name), role, spec.kind, naming.environment]);
  const hasRole = instanceKind(spec.kind).tags === 'name and role';
  return held.tags.filter((tag) => !own.has(tag) && !(hasRole && isRoleTag(tag)));
}

/** The tags that the config, the record and the kind of the instance give it. */
export function ownTags({ naming, spec, recorded }: InstanceSnapshot): readonly string[] {
  const environment = naming.environment === undefined ? [] : [naming.environment];
  const own = (): readonly string[] => {
    switch (instanceKind(spec.kind).tags) {
      case 'name and role': {
        const name = recorded.name === undefined ? [] : [nameTag(recorded.name)];
        return [...name, ...(recorded.role === 'unknown' ? [] : [recorded.role])];
      }
      case 'kind':
        return [spec.kind];
      case 'none':
        return [];
    }
  };
  return [...new Set([...own(), ...environment, ...spec.tags])];
}

/** Consul's agent cannot connect to a socket: then the report is the only check, unless the config has an URL. */
function checksOf({ spec, check, reachable }: InstanceSnapshot): readonly CheckDefinition[] {
  const { consulIntervalMs, consulTimeoutMs, httpUrl, deregisterCriticalServiceAfterMs } = spec.checks;
  const { address } = spec;
  const reaped =
    deregisterCriticalServiceAfterMs === undefined ? {} : { deregisterAfterMs: deregisterCriticalServiceAfterMs };
  const report = { kind: 'report', id: deepCheckId(spec.id), name: 'Probed by switchmaster', ...check } as const;
  const common = {
    id: `${spec.id}:consul`,
    status: reachable ? 'passing' : 'critical',
    output: '',
    intervalMs: consulIntervalMs,
    timeoutMs: consulTimeoutMs,
    ...reaped,
  } as const;
  if (httpUrl !== undefined) return [{ ...common, kind: 'http', name: 'Answers HTTP', target: httpUrl }, report];
  if (typeof address === 'string') return [{ ...report, ...reaped }];
  return [{ ...common, kind: 'tcp', name: 'Accepts connections', target: formatAddress(address) }, report];
}

/** Why the instance must be registered again; undefined where the agent holds the same. */
function difference(wanted: Registration, held: HeldService): string | undefined {
  if (wanted.service !== held.service) return 'its service changed';
  if (wanted.address !== held.address || wanted.port !== held.port) return 'its address changed';
  if (wanted.tags.toSorted().join(',') !== held.tags.toSorted().join(','))
    return `its tags changed to ${wanted.tags.join(', ')}`;
  const keys = new Set([...Object.keys(wanted.meta), ...Object.keys(held.meta)]);
  const changed = [...keys].filter((key) => wanted.meta[key] !== held.meta[key]);
  if (changed.length > 0) return `its meta changed: ${changed.join(', ')}`;
  const missing = wanted.checks.filter(({ id }) => !held.checks.some((check) => check.id === id));
  return missing.length === 0 ? undefined : `its check ${missing[0]?.id} was missing`;
}
