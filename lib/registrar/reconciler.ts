import type { ConsulAgentClient } from '../client/consul-agent.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import { isNodeLocal } from '../model/address.ts';
import type { ConsulScope } from '../model/consul-scope.ts';
import type { HeldService } from '../model/instance.ts';
import type { Naming } from '../model/naming.ts';
import type { InstanceProfile, ProbeResult } from '../model/probe-result.ts';
import { type Instance, Instances } from './instances.ts';
import { judge } from './kinds/table.ts';
import type { InstanceMemory } from './memory.ts';
import type { HostAddresses } from './observe/host-addresses.ts';
import type { InstanceSource } from './observe/instance.ts';
import type { NodeHosts } from './observe/node-hosts.ts';
import type { RegistrationSource } from './observe/registrations.ts';
import { hostsOf } from './plan/discovery.ts';
import { identitiesOf, type RecordedRole, recordedRole, unprovenAddresses } from './plan/recorded-role.ts';
import {
  deepCheckId,
  foreignService,
  type InstanceAction,
  type InstanceSnapshot,
  isOwn,
  ownTags,
  planInstance,
  planMove,
  planRemoval,
  registrarName,
} from './plan/registration.ts';

export interface RegistrarOptions {
  readonly naming: Naming;
  readonly agent: ConsulAgentClient;
  readonly registrations: RegistrationSource;
  /** Addresses of this node's interfaces. */
  readonly nodeHosts: NodeHosts;
  /** The addresses of the hostnames in the records, where instances are discovered. */
  readonly addresses: HostAddresses;
}

/** How long the proof that another address leads to the same process may delay a verdict. */
const proofMs = 500;

/** How long a new instance waits for others that answered before and may lead to the same process after a restart. */
const comparisonMs = 5_000;

/** The key of the loop that deregisters what the registrar registered and no longer needs. */
export const surplusKey = '(surplus)';

/** What one run reads: from the instance, from the agent and from the records. */
interface Observed {
  readonly result: ProbeResult;
  readonly profile: InstanceProfile | undefined;
  readonly recorded: RecordedRole;
  readonly held: HeldService | undefined;
}

/**
 * Keeps the services and checks of the local agent equal to what this node's processes and the records say. One key of
 * the loop is one instance. The next run restores what the agent lost or somebody changed.
 */
export class Registrar implements Reconciler {
  readonly name = 'registrar';
  readonly #options: RegistrarOptions;
  readonly instances = new Instances();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** How long until the next probe: shorter while the last probes contradict the check. */
  nextProbeMs(id: string): number | undefined {
    const instance = this.instances.get(id);
    if (instance === undefined) return undefined;
    const { intervalMs } = instance.source.spec.checks;
    return instance.memory.isCheckPending ? intervalMs / 4 : intervalMs;
  }

  async reconcile({ key }: Run): Promise<Outcome> {
    if (key === surplusKey) return this.#removeSurplus();
    const instance = this.instances.get(key);
    if (instance === undefined) return { kind: 'unchanged' };
    const observed = await this.#observe(instance.source);
    const uncompared = await this.instances.findOriginal(instance, observed);
    // The config or a record dropped it meanwhile.
    if (this.instances.get(key) === undefined) return { kind: 'unchanged' };
    const { memory } = instance;
    const waitedMs = memory.uncomparedMs(uncompared, performance.now());
    if (memory.original !== undefined) return this.#leaveToOriginal(instance, observed);
    if (waitedMs !== undefined && waitedMs < comparisonMs)
      return { kind: 'held', summary: `may be the same process as ${uncompared.join(', ')}`, retryAfterMs: 200 };
    const { scope } = this.#options.agent;
    const refused = refuse(memory, observed.held, scope);
    if (refused !== undefined) return refused;
    const snapshot = this.#judge(instance, observed);
    let actions = planInstance(snapshot);
    if (actions.some(({ kind }) => kind === 'register')) {
      // A registration replaces the whole service: it must start from what the agent holds now, not before the probe.
      const held = await this.#readHeld(key);
      const refusedNow = refuse(memory, held, scope);
      if (refusedNow !== undefined) return refusedNow;
      actions = planInstance({ ...snapshot, held });
    }
    for (const action of actions) {
      if (action.kind === 'register') memory.noteTags(ownTags(snapshot));
      await this.#apply(action);
    }
    memory.noteRegistration();
    if (actions.length === 0) return { kind: 'unchanged' };
    this.#options.registrations.forget();
    const { name, role } = observed.recorded;
    const details = { cause: 'registration', recorded: { name, role } };
    return { kind: 'applied', summary: describe(key, actions), details };
  }

  /** Deregisters the instances with `deregisterOnStop`, at the end of the daemon. */
  async leave(): Promise<void> {
    for (const { source, memory } of this.instances) {
      if (source.spec.deregisterOnStop && memory.refusal === undefined && memory.original === undefined)
        await this.#options.agent.deregister(source.spec.id);
    }
  }

  /** Deregisters what it registered, where another namespace or partition takes its place. */
  async move(next: ConsulScope | undefined): Promise<void> {
    const { agent, naming } = this.#options;
    for (const id of planMove(await agent.services(), { before: agent.scope, next, registrar: registrarName(naming) }))
      await agent.deregister(id);
  }

  async #observe(source: InstanceSource): Promise<Observed> {
    const { registrations, nodeHosts } = this.#options;
    const { spec } = source;
    const [result, services, profile] = await Promise.all([
      source.probe(),
      registrations.services(),
      source.profile(performance.now()),
    ]);
    // Only an instance at a socket or at a loopback or unspecified address is known to others by an address of this node.
    const isLocal = typeof spec.address === 'string' || isNodeLocal(spec.address.host);
    const hosts = isLocal ? nodeHosts.read() : [];
    const sources = {
      identities: identitiesOf(spec, { profile, nodeHosts: hosts }),
      proven: this.instances.identityOf(source),
      records: registrations.records ?? [],
      cluster: spec.name === undefined ? undefined : registrations.cluster(spec.name),
    };
    if (result.kind === 'redis' && result.runId !== '') {
      const addresses = unprovenAddresses(spec, { role: result.role, sources });
      await source.process.prove(result.runId, { addresses, timeoutMs: Math.min(spec.checks.timeoutMs, proofMs) });
    }
    const recorded = recordedRole(spec, { ...sources, proven: this.instances.identityOf(source) });
    return { result, profile, recorded, held: services.find(({ id }) => id === spec.id) };
  }

  async #leaveToOriginal({ source, memory }: Instance, { result, recorded, held }: Observed): Promise<Outcome> {
    const { registrations, agent, naming } = this.#options;
    const { id } = source.spec;
    memory.noteProbe(result, recorded);
    if (held === undefined || !isOwn(held, registrarName(naming))) return { kind: 'unchanged' };
    const isReplaced = (await registrations.services()).some((service) => service.id === memory.original);
    if (!isReplaced) return { kind: 'held', summary: `${memory.original} is not registered yet`, retryAfterMs: 200 };
    await agent.deregister(id);
    registrations.forget();
    const summary = `deregistered ${id}: it is the same process as ${memory.original}`;
    return { kind: 'applied', summary, details: { cause: 'duplicate', original: memory.original } };
  }

  async #readHeld(id: string): Promise<HeldService | undefined> {
    const { registrations } = this.#options;
    registrations.forget();
    return (await registrations.services()).find((service) => service.id === id);
  }

  #judge({ source: { spec }, memory }: Instance, observed: Observed): InstanceSnapshot {
    const { result, held, profile, recorded } = observed;
    const settings = spec.checks;
    const { role: expected, proof } = recorded;
    const mismatchMs = memory.mismatchMs(result, { expected, nowMs: performance.now() });
    const verdict = judge(spec.kind, { result, judging: { expected, proof, mismatchMs, settings } });
    const heldCheck = held?.checks.find(({ id }) => id === deepCheckId(spec.id));
    const check = memory.addVerdict(verdict, { settings, held: heldCheck });
    memory.noteProbe(result, recorded);
    const { version, registered: registeredBefore, writtenTags } = memory;
    const reachable = result.kind !== 'unreachable';
    const { naming } = this.#options;
    return { naming, spec, profile, version, recorded, check, reachable, held, registeredBefore, writtenTags };
  }

  async #apply(action: InstanceAction): Promise<void> {
    switch (action.kind) {
      case 'register':
        return this.#options.agent.register(action.registration);
      case 'report':
        return this.#options.agent.report(action.checkId, action.check);
    }
  }

  async #removeSurplus(): Promise<Outcome> {
    const { registrations, agent, naming, nodeHosts, addresses } = this.#options;
    const { records } = registrations;
    if (records === undefined)
      return { kind: 'held', summary: 'no answer from Consul about the records yet', retryAfterMs: 1_000 };
    // Without the addresses of this node or of a record's hosts, nobody knows which instances the record still lists here.
    const known = records.filter((record) => !hostsOf(record).some((host) => addresses.isUnresolved(host)));
    const recorded = new Set(nodeHosts.failing ? [] : known.map(({ name }) => name));
    const wanted = { ids: new Set(this.instances.ids), registrar: registrarName(naming), recorded };
    const surplus = planRemoval(await registrations.services(), wanted);
    if (surplus.length === 0) return { kind: 'unchanged' };
    for (const id of surplus) await agent.deregister(id);
    registrations.forget();
    return {
      kind: 'applied',
      summary: `deregistered ${surplus.join(', ')}`,
      details: { cause: 'surplus', ids: surplus },
    };
  }
}

/** The registrar restores what it registered itself, even where somebody replaced it. */
function refuse(
  memory: InstanceMemory,
  held: HeldService | undefined,
  scope: ConsulScope | undefined,
): Outcome | undefined {
  memory.setRefusal(held === undefined || memory.registered ? undefined : foreignService(held, scope));
  return memory.refusal === undefined ? undefined : { kind: 'held', summary: memory.refusal };
}

function describe(id: string, actions: readonly InstanceAction[]): string {
  const parts = actions.map((action) =>
    action.kind === 'register' ? `registered (${action.why})` : `${action.check.status}: ${action.check.output}`,
  );
  return `${id} ${parts.join('; ')}`;
}
