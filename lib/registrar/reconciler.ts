import type { ConsulAgentClient } from '../client/consul-agent.ts';
import type { Outcome } from '../loop/outcome.ts';
import type { Reconciler, Run } from '../loop/run.ts';
import type { HeldService, InstanceSpec } from '../model/instance.ts';
import type { Naming } from '../model/naming.ts';
import type { InstanceProfile, ProbeResult } from '../model/probe-result.ts';
import { InstanceMemory } from './memory.ts';
import type { InstanceSource } from './observe/instance.ts';
import type { RegistrationSource } from './observe/registrations.ts';
import { judge } from './plan/health.ts';
import { hysteresisPending } from './plan/hysteresis.ts';
import {
  clusterStandingOf,
  deepCheckId,
  foreignService,
  type InstanceAction,
  identitiesOf,
  planInstance,
  planRemoval,
  registrarName,
  type Standing,
  standingOf,
} from './plan/registration.ts';

export interface RegistrarOptions {
  readonly naming: Naming;
  readonly agent: ConsulAgentClient;
  readonly registrations: RegistrationSource;
  /** Addresses of this node's interfaces. */
  readonly nodeHosts: () => readonly string[];
}

/** The key under which is deregistered what nobody wants any more. */
export const surplusKey = '(surplus)';

/**
 * Keeps the local agent's services and checks as this node's processes are and as the records say. One key of the loop
 * is one instance. Whatever the agent forgot, or somebody changed, is registered again by the next look.
 */
export class Registrar implements Reconciler {
  readonly name = 'registrar';
  readonly #options: RegistrarOptions;
  readonly #instances = new Map<string, { readonly source: InstanceSource; readonly memory: InstanceMemory }>();

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  adopt(source: InstanceSource): void {
    this.#instances.set(source.spec.id, { source, memory: new InstanceMemory() });
  }

  release(id: string): void {
    this.#instances.get(id)?.source.close();
    this.#instances.delete(id);
  }

  get ids(): readonly string[] {
    return [...this.#instances.keys()];
  }

  spec(id: string): InstanceSpec | undefined {
    return this.#instances.get(id)?.source.spec;
  }

  memory(id: string): InstanceMemory | undefined {
    return this.#instances.get(id)?.memory;
  }

  /** When to look again by itself: sooner while the last looks contradict what the check says. */
  nextLookMs(id: string): number | undefined {
    const instance = this.#instances.get(id);
    if (instance === undefined) return undefined;
    const { intervalMs } = instance.source.spec.checks;
    const { steady } = instance.memory;
    return steady !== undefined && hysteresisPending(steady) ? intervalMs / 4 : intervalMs;
  }

  async reconcile({ key }: Run): Promise<Outcome> {
    if (key === surplusKey) return this.#removeSurplus();
    const instance = this.#instances.get(key);
    if (instance === undefined) return { kind: 'unchanged' };
    const { source, memory } = instance;
    const [probeResult, services, profile] = await Promise.all([
      source.look(),
      this.#options.registrations.services(),
      source.profile(performance.now()),
    ]);
    // Removed from the config while it was looked at.
    if (!this.#instances.has(key)) return { kind: 'unchanged' };
    const held = services.find(({ id }) => id === key);
    const standing = this.#standing(source.spec, profile);
    // What this registrar has registered itself is put back, whatever somebody made of it.
    memory.refusal = held === undefined || memory.registered ? undefined : foreignService(held);
    if (memory.refusal !== undefined) return { kind: 'held', summary: memory.refusal };
    const actions = this.#plan(source.spec, { probeResult, held, profile, standing, memory });
    for (const action of actions) await this.#carryOut(action);
    if (actions.length === 0) return { kind: 'unchanged' };
    this.#options.registrations.forget();
    return { kind: 'applied', summary: describe(key, actions), details: { cause: 'registration', standing } };
  }

  /** Deregisters everything that asks for it; for the end of the daemon. */
  async leave(): Promise<void> {
    for (const { source, memory } of this.#instances.values()) {
      if (source.spec.deregisterOnStop && memory.refusal === undefined)
        await this.#options.agent.deregister(source.spec.id);
    }
  }

  #plan(
    spec: InstanceSpec,
    seen: {
      readonly probeResult: ProbeResult;
      readonly held: HeldService | undefined;
      readonly profile: InstanceProfile | undefined;
      readonly standing: Standing;
      readonly memory: InstanceMemory;
    },
  ): readonly InstanceAction[] {
    const { probeResult, held, profile, standing, memory } = seen;
    const mismatchMs = memory.mismatchMs(probeResult, { expected: standing.role, nowMs: performance.now() });
    const verdict = judge(probeResult, { expected: standing.role, mismatchMs, settings: spec.checks });
    const says = memory.judge(verdict, {
      settings: spec.checks,
      held: held?.checks.find(({ id }) => id === deepCheckId(spec.id)),
    });
    memory.saw(probeResult, standing);
    const reachable = probeResult.kind !== 'unreachable';
    // Consul has reaped it, as it was told to: it comes back when it answers.
    const reaped =
      held === undefined && memory.registered && spec.checks.deregisterCriticalServiceAfterMs !== undefined;
    if (reaped && !reachable) return [];
    memory.registered = true;
    const { naming } = this.#options;
    return planInstance({ naming, spec, profile, version: memory.version, standing, says, reachable }, held);
  }

  #standing(spec: InstanceSpec, profile: InstanceProfile | undefined): Standing {
    const { registrations, nodeHosts } = this.#options;
    const identities = identitiesOf(spec, { profile, nodeHosts: nodeHosts() });
    switch (spec.kind) {
      case 'redis':
        return standingOf(spec, { identities, records: registrations.records ?? [] });
      case 'cluster': {
        const record = spec.name === undefined ? undefined : registrations.cluster(spec.name);
        return clusterStandingOf(spec, { identities, record });
      }
      case 'sentinel':
      case 'twemproxy':
      case 'haproxy':
        return { name: spec.name, role: 'unknown' };
    }
  }

  async #carryOut(action: InstanceAction): Promise<void> {
    switch (action.kind) {
      case 'register':
        return this.#options.agent.register(action.registration);
      case 'report':
        return this.#options.agent.report(action.checkId, action.says);
    }
  }

  async #removeSurplus(): Promise<Outcome> {
    const { registrations, agent, naming } = this.#options;
    const { records } = registrations;
    if (records === undefined) return { kind: 'held', summary: 'the records were not read yet', retryAfterMs: 1_000 };
    const recorded = new Set(records.map(({ name }) => name));
    const wanted = { ids: new Set(this.#instances.keys()), registrar: registrarName(naming), recorded };
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

function describe(id: string, actions: readonly InstanceAction[]): string {
  const parts = actions.map((action) =>
    action.kind === 'register' ? `registered (${action.why})` : `${action.says.status}: ${action.says.output}`,
  );
  return `${id} ${parts.join('; ')}`;
}
