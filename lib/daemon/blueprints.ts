import { hostname } from 'node:os';
import { BridgePart } from '../bridge/part.ts';
import { buildClusters } from '../cluster/part.ts';
import type { ApiConfig, Config, EndpointConfig, SentinelConfig } from '../config/model.ts';
import { revealAccess } from '../config/reveal.ts';
import { ConsulPart } from '../consul/part.ts';
import { EndpointPart } from '../endpoint/part.ts';
import { MaintenancePart } from '../maintenance/part.ts';
import { formatAddress } from '../model/address.ts';
import { matchesAny } from '../model/glob.ts';
import { recordPrefix } from '../model/naming.ts';
import type { Part } from '../part.ts';
import { ProvisioningPart } from '../provisioner/part.ts';
import { buildRegistrar } from '../registrar/part.ts';
import { RendererPart } from '../renderer/part.ts';
import { ApiPart } from './api.ts';
import type { Blueprint } from './assembly.ts';
import { IgnoredKeyReporter } from './ignored-keys.ts';
import { reportInterfaces } from './interfaces.ts';
import { localClusterNodes, localMasters } from './local-masters.ts';
import type { PartContext } from './part-context.ts';
import { watchRights } from './rights.ts';
import { settingsHash } from './settings-hash.ts';

/** A part that a config may ask for. */
interface PartRow<S> {
  readonly name: string;
  /** The settings that the part is built from. A reload that changes them rebuilds it; undefined means not wanted. */
  readonly settings: (config: Config, context: PartContext) => S | undefined;
  readonly build: (settings: S, context: PartContext) => Part;
}

type Draft = (config: Config, context: PartContext) => readonly Blueprint[];

/** Parts in the order of starting. The API comes first, so that it can report what is not ready. */
const drafts: readonly Draft[] = [
  row({ name: 'api', settings: ({ api }) => api, build: buildApi }),
  row({ name: 'consul', settings: sharedSettings, build: buildConsul }),
  row({
    name: 'maintenance',
    settings: ({ sentinel, cluster, ...rest }) =>
      sentinel === undefined && !cluster.some(ordersOnCrash) ? undefined : sharedSettings(rest),
    build: ({ environment }, context) =>
      new MaintenancePart({
        ...connections(context),
        naming: { environment },
        memory: context.maintenanceMemory,
      }),
  }),
  row({
    name: 'bridge',
    settings: ({ sentinel, publish, ...rest }) =>
      sentinel === undefined ? undefined : { sentinel, publish, ...sharedSettings(rest) },
    build: buildBridge,
  }),
  row({
    name: 'provisioner',
    settings: ({ sentinel, ...rest }) =>
      sentinel?.provision === true ? { sentinel, ...sharedSettings(rest) } : undefined,
    build: buildProvisioner,
  }),
  row({
    name: 'cluster',
    settings: ({ cluster, ...rest }) => (cluster.length === 0 ? undefined : { cluster, ...sharedSettings(rest) }),
    build: ({ cluster, environment }, context) =>
      buildClusters(cluster, {
        ...connections(context),
        naming: { environment },
        bridgeId: context.bridgeId,
        ...(cluster.some(ordersOnCrash) ? { maintenance: context.maintenance() } : {}),
        localNodes: () => localClusterNodes(context.views()),
      }),
  }),
  row({
    name: 'registrar',
    settings: registrarSettings,
    build: ({ register, environment }, context) =>
      buildRegistrar(register, {
        ...connections(context),
        naming: { environment },
        wantedScope: () => context.config().consul.scope,
        onNodeHosts: (why) => reportInterfaces(context, why),
      }),
  }),
  row({
    name: 'endpoint',
    settings: ({ sentinelEndpoint, publish, ...rest }) =>
      sentinelEndpoint === undefined ? undefined : { sentinelEndpoint, publish, ...sharedSettings(rest) },
    build: buildEndpoint,
  }),
  row({
    name: 'renderer',
    settings: ({ templates, publish, ...rest }) =>
      templates.length === 0 ? undefined : { templates, publish, ...sharedSettings(rest) },
    build: buildRenderer,
  }),
];

/** The parts that a config asks for, in the order of starting. */
export function draftParts(config: Config, context: PartContext): readonly Blueprint[] {
  return drafts.flatMap((draft) => draft(config, context));
}

function ordersOnCrash({ onCrash }: Config['cluster'][number]): boolean {
  return onCrash === 'failover';
}

function row<S>({ name, settings: select, build }: PartRow<S>): Draft {
  return (config, context) => {
    const settings = select(config, context);
    if (settings === undefined) return [];
    return [{ name, settingsHash: settingsHash(settings), build: () => build(settings, context) }];
  };
}

/** Every part that uses Consul is rebuilt with the connection. A token that is rotated changes nothing but the requests. */
function sharedSettings({ environment, consul: { token: _, ...consul } }: Pick<Config, 'environment' | 'consul'>) {
  return { environment, consul };
}

/** A section that a reload removed has left instances registered: the registrar stays, to remove them. */
function registrarSettings({ register, ...rest }: Config, { hasRegistered }: PartContext) {
  if (register === undefined && !hasRegistered()) return undefined;
  return { register: register ?? { instances: [], discoveries: [] }, ...sharedSettings(rest) };
}

function connections({ consul, onReport }: PartContext) {
  const { client, watches } = consul();
  return { client, watches, onReport };
}

function buildApi(api: ApiConfig, { views, version, handovers, log }: PartContext): Part {
  return new ApiPart({ api, views: views(), version, handover: handovers.api, log: log.child({ part: 'api' }) });
}

function buildConsul({ consul, environment }: Pick<Config, 'consul' | 'environment'>, context: PartContext): Part {
  const log = context.log.child({ part: 'consul' });
  const { conditions } = context;
  const { consulCondition } = conditions;
  consulCondition.reset();
  const ignoredKeys = new IgnoredKeyReporter({ prefix: recordPrefix({ environment }), log, conditions });
  const part = new ConsulPart(consul, {
    token: context.consulToken,
    onDenied: ({ query, error }) => log.warn({ query, error }, 'consul denies a read'),
    onTree: (prefix, entries) => ignoredKeys.observe(prefix, entries),
    onConnectionChange: (change) => {
      if (change.kind === 'back') consulCondition.queriesSucceed();
      else consulCondition.queriesFail(change.error);
    },
    onAgentChange: (state) => consulCondition.agentBecomes(state),
    rights: watchRights(context.config, log),
  });
  conditions.setConsul(part);
  return part;
}

/** Settings of parts that give addresses to clients. */
type Published = Pick<Config, 'environment' | 'publish'>;

type OfSentinels = Pick<Config, 'environment'> & { readonly sentinel: SentinelConfig };

function buildBridge({ sentinel, environment, publish }: OfSentinels & Published, context: PartContext): Part {
  const log = context.log.child({ part: 'bridge' });
  return new BridgePart({
    ...connections(context),
    naming: { environment, publish },
    bridgeId: context.bridgeId,
    settings: sentinel,
    onDecision: (record) => context.decisions.announce(record),
    expectations: context.decisions.expectations,
    localMasters: () => localMasters(context.views()),
    localRedis: () => context.registrar()?.pausable ?? [],
    maintenance: context.maintenance(),
    onReboot: (message) => context.endpoint()?.reportReboot(message),
    onUnmonitored: (name, address) => context.provisioner()?.sentinelRemoved(name, address),
    onLink: ({ sentinel: address, up, error }) => {
      const fields = { sentinel: formatAddress(address), ...(error === undefined ? {} : { error }) };
      if (up && error === undefined) {
        log.info(fields, 'sentinel connected');
        context.provisioner()?.sentinelConnected(address);
      } else log.warn(fields, up ? 'cannot read from sentinel' : 'sentinel lost');
    },
  });
}

function buildProvisioner({ sentinel, environment }: OfSentinels, context: PartContext): Part {
  return new ProvisioningPart({
    ...connections(context),
    naming: { environment },
    sentinels: () => {
      const byId = new Map((context.bridge()?.sentinels ?? []).map(({ id, address }) => [id, address]));
      return [...byId.values()];
    },
    voters: (name) => context.bridge()?.masters.voters(name) ?? [],
    maintenance: context.maintenance(),
    sentinelAccess: revealAccess(sentinel.access),
    redisAccess: revealAccess(sentinel.redis),
    matches: (name) => matchesAny(sentinel.masters, name),
    resyncMs: sentinel.resyncMs,
  });
}

function buildEndpoint(
  { sentinelEndpoint: settings, environment, publish }: Published & { readonly sentinelEndpoint: EndpointConfig },
  context: PartContext,
): Part {
  return new EndpointPart({
    ...connections(context),
    settings,
    naming: { environment, publish },
    decisions: context.decisions,
    version: context.version,
    sentinels: (name) => context.bridge()?.masters.views(name) ?? [],
    // Sentinel refuses at once what it cannot begin, so its clients do not expect to wait for long.
    failOver: (name) => context.views().masterControls.failOver(name, { waitMs: 20_000 }),
    handover: context.handovers.endpoint,
    log: context.log.child({ part: 'endpoint' }),
  });
}

function buildRenderer(
  { templates: specs, environment, publish }: Published & Pick<Config, 'templates'>,
  context: PartContext,
): Part {
  const { client, watches, onReport } = connections(context);
  return new RendererPart({
    specs,
    environment,
    publish,
    watches,
    decisions: context.decisions,
    secrets: context.secrets(),
    precedence: client.precedence,
    rolling: { client, holder: hostname() },
    onReport,
    quietMs: () => context.bridge()?.quietMs ?? Number.POSITIVE_INFINITY,
    log: context.log.child({ part: 'renderer' }),
  });
}
