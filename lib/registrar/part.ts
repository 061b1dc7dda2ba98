import type { ConsulClient } from '../client/consul.ts';
import { ConsulAgentClient } from '../client/consul-agent.ts';
import type { RedisAccess } from '../client/redis-connection.ts';
import type { RegisterConfig } from '../config/model.ts';
import { type Revealed, reveal } from '../config/reveal.ts';
import type { CatalogWatches } from '../consul/watches.ts';
import type { InstanceState, InstancesView } from '../http/views.ts';
import { Loop } from '../loop/loop.ts';
import type { RunReport } from '../loop/outcome.ts';
import { usualResyncMs } from '../loop/resync.ts';
import type { Address, Endpoint } from '../model/address.ts';
import { type ConsulScope, isSameScope } from '../model/consul-scope.ts';
import { matchesAny } from '../model/glob.ts';
import type { Discovery, InstanceSpec } from '../model/instance.ts';
import { instanceKind } from '../model/instance-kinds.ts';
import type { Naming } from '../model/naming.ts';
import type { MasterRecord } from '../model/record.ts';
import { type Part, type Readiness, type StopOptions, toReadiness } from '../part.ts';
import type { InstanceMemory } from './memory.ts';
import { HostAddresses } from './observe/host-addresses.ts';
import { InstanceSource } from './observe/instance.ts';
import { NodeHosts } from './observe/node-hosts.ts';
import { RegistrationSource } from './observe/registrations.ts';
import { discoverInstances, hostsOf } from './plan/discovery.ts';
import type { CheckReport } from './plan/registration.ts';
import { Registrar, surplusKey } from './reconciler.ts';

/** An instance with the credentials for its probes. */
export type WantedInstance = Revealed<RegisterConfig['instances'][number]>;

export interface WantedDiscovery {
  readonly discovery: Discovery;
  readonly access: RedisAccess;
}

export interface PausableRedis {
  /** The instance's id. */
  readonly id: string;
  /** The master's name. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Every address by which others may know it. */
  readonly addresses: readonly Address[];
  /** The same object as long as the instance is registered. */
  readonly access: RedisAccess;
}

export interface RegistrarPartOptions {
  readonly client: ConsulClient;
  readonly watches: CatalogWatches;
  readonly naming: Naming;
  readonly instances: readonly WantedInstance[];
  readonly discoveries: readonly WantedDiscovery[];
  readonly onReport: (report: RunReport) => void;
  /** The namespace and the partition that the config names now: a reload may have changed them. */
  readonly wantedScope: () => ConsulScope | undefined;
  /** Lists the addresses of this node. Default: those of its interfaces. */
  readonly nodeHosts?: () => readonly string[];
  /** Called when the addresses of this node begin to be unreadable, with why, and with undefined when they can be read. */
  readonly onNodeHosts?: (why: string | undefined) => void;
}

/** The part for the section `register`. */
export function buildRegistrar(
  config: RegisterConfig,
  shared: Omit<RegistrarPartOptions, 'instances' | 'discoveries'>,
): RegistrarPart {
  return new RegistrarPart({
    ...shared,
    instances: config.instances.map(reveal),
    discoveries: config.discoveries.map(reveal).map(({ discovery, masters, access }) => ({
      discovery: { ...discovery, matches: (name) => matchesAny(masters, name) },
      access,
    })),
  });
}

/** Registers the instances of this node in the local Consul agent, with their checks. */
export class RegistrarPart implements Part {
  readonly name = 'registrar';
  readonly instances: InstancesView = { list: () => this.#list() };
  readonly #options: RegistrarPartOptions;
  readonly #nodeHosts: NodeHosts;
  readonly #addresses = new HostAddresses({ onChange: () => this.#recordsChanged() });
  readonly #registrations: RegistrationSource;
  readonly #registrar: Registrar;
  readonly #loop: Loop;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #settled = new Set<string>();
  #found: readonly InstanceSpec[] = [];
  #stopped = false;

  constructor(options: RegistrarPartOptions) {
    this.#options = options;
    const { naming, client, watches, nodeHosts: list, onNodeHosts: onProblem } = options;
    this.#nodeHosts = new NodeHosts({ ...(list && { list }), ...(onProblem && { onProblem }) });
    const agent = new ConsulAgentClient(client);
    const inCluster = ({ spec }: WantedInstance) => instanceKind(spec.kind).record === 'cluster';
    const clusters = options.instances.some(inCluster) ? 'read' : 'not-read';
    const onChange = (): void => this.#recordsChanged();
    this.#registrations = new RegistrationSource({ agent, watches, naming, clusters, onChange });
    const observed = { registrations: this.#registrations, nodeHosts: this.#nodeHosts, addresses: this.#addresses };
    this.#registrar = new Registrar({ naming, agent, ...observed });
    this.#loop = new Loop({
      reconciler: this.#registrar,
      resyncMs: usualResyncMs,
      backoff: { initialMs: 100, maxMs: 2_000 },
      onReport: (report) => {
        if (report.outcome.kind !== 'failed') this.#settled.add(report.key);
        this.#schedule(report.key);
        options.onReport(report);
      },
    });
  }

  start(): void {
    for (const instance of this.#options.instances) this.#adopt(instance);
    this.#loop.wake(surplusKey, { source: 'daemon', event: 'start' });
  }

  async stop(options: StopOptions): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await this.#loop.stop(options);
    try {
      // After a reload the next registrar deregisters what the config lost. The rest must stay in DNS.
      if (options.cause !== 'reload') await this.#registrar.leave();
      else await this.#leaveFormerScope();
    } finally {
      for (const id of this.#registrar.instances.ids) this.#registrar.instances.release(id);
      this.#registrations.release();
      this.#addresses.close();
    }
  }

  /** Ready when the agent has held every instance once, healthy or not. */
  ready(): Readiness {
    const missing = this.#registrar.instances.ids.filter((id) => !this.#settled.has(id));
    return toReadiness(missing.map((id) => `registration of ${id}`));
  }

  state(): unknown {
    return this.#list();
  }

  /** Each Redis whose writes may be paused, and whose master's name is known. */
  get pausable(): readonly PausableRedis[] {
    return [...this.#registrar.instances].flatMap(({ source: { spec, access }, memory }) => {
      const name = memory.recorded?.name ?? spec.name;
      if (spec.isolation !== 'pause' || name === undefined || memory.original !== undefined) return [];
      const own = typeof spec.address === 'string' ? undefined : spec.address;
      const addresses = [own, spec.announce, memory.recorded?.address].filter((address) => address !== undefined);
      return { id: spec.id, name, endpoint: spec.address, addresses, access };
    });
  }

  #list(): readonly InstanceState[] {
    return this.#registrar.instances.ids.flatMap((id) => {
      const spec = this.#registrar.instances.spec(id);
      if (spec === undefined) return [];
      const memory = this.#registrar.instances.memory(id);
      if (memory?.original !== undefined && spec.origin === 'discovered') return [];
      const check = checkOf(memory);
      return {
        id,
        kind: spec.kind,
        name: memory?.recorded?.name ?? spec.name ?? null,
        ...(typeof spec.address === 'string'
          ? { address: null, socket: spec.address }
          : { address: spec.address, socket: null }),
        role: memory?.recorded?.role ?? 'unknown',
        version: memory?.version ?? null,
        check: check === undefined ? null : { status: check.status, output: check.output },
        seenAt: memory?.probedAt?.toISOString() ?? null,
      };
    });
  }

  #adopt({ spec, access }: WantedInstance): void {
    const { id } = spec;
    const onHint = (event: string): void => this.#loop.wake(id, { source: id, event });
    this.#registrar.instances.adopt(new InstanceSource({ spec, access, onHint }));
    this.#loop.wake(id, { source: 'daemon', event: 'start' });
  }

  #schedule(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    const nextMs = this.#registrar.nextProbeMs(id);
    if (nextMs === undefined || this.#stopped) return;
    this.#timers.set(
      id,
      setTimeout(() => this.#loop.wake(id, { source: 'registrar', event: 'probe' }), nextMs),
    );
  }

  #recordsChanged(): void {
    this.#discover();
    this.#loop.wakeAll({ source: 'consul', event: 'changed' });
  }

  #discover(): void {
    const { records } = this.#registrations;
    if (records === undefined || this.#options.discoveries.length === 0) return;
    const nodeHosts = this.#nodeHosts.read();
    const addresses = this.#addresses;
    const discovered = ({ name }: MasterRecord) =>
      this.#options.discoveries.some(({ discovery }) => discovery.matches(name));
    addresses.follow(records.filter(discovered).flatMap(hostsOf));
    const before = this.#found;
    const configured = this.#options.instances.flatMap(({ spec: { address } }) =>
      typeof address === 'string' ? [] : address,
    );
    const seen = { records, nodeHosts, addresses, before, configured };
    const found = this.#options.discoveries.flatMap(({ discovery, access }) =>
      discoverInstances(discovery, seen).map((spec) => ({ spec, access })),
    );
    const fresh = new Map(found.map((each) => [each.spec.id, each]));
    // The same address with another master's name is a new instance, because another record gives it its role.
    const stays = ({ id, name }: InstanceSpec): boolean => fresh.get(id)?.spec.name === name;
    for (const spec of before) if (!stays(spec)) this.#drop(spec.id);
    const kept = new Set(before.filter(stays).map(({ id }) => id));
    for (const [id, wanted] of fresh) if (!kept.has(id)) this.#adopt(wanted);
    this.#found = [...fresh.values()].map(({ spec }) => spec);
  }

  /** The next registrar sees only its own namespace and partition. */
  async #leaveFormerScope(): Promise<void> {
    const { client, wantedScope } = this.#options;
    const next = wantedScope();
    if (!isSameScope(client.configuredScope, next)) await this.#registrar.move(next);
  }

  #drop(id: string): void {
    this.#registrar.instances.release(id);
    this.#loop.retire(id);
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#settled.delete(id);
  }
}

/** What the API shows as the check, also where the registrar does not register the instance. */
function checkOf(memory: InstanceMemory | undefined): CheckReport | undefined {
  if (memory?.original !== undefined) {
    const output = `not registered: the same process as ${memory.original}; remove one of the two from register, or give them different tags`;
    return { status: 'warning', output };
  }
  return memory?.refusal === undefined ? memory?.check : { status: 'critical', output: memory.refusal };
}
