import type { HeldService, InstanceSpec } from '../model/instance.ts';
import { InstanceMemory } from './memory.ts';
import type { InstanceSource } from './observe/instance.ts';
import { findOriginal, findUncompared, type KnownProcess, precedingInstances } from './plan/duplicates.ts';
import type { Identity } from './plan/recorded-role.ts';

export interface Instance {
  readonly source: InstanceSource;
  readonly memory: InstanceMemory;
}

/** The instances of this node, by id, and which of them lead to one process. */
export class Instances {
  readonly #all = new Map<string, Instance>();

  adopt(source: InstanceSource): void {
    this.#all.set(source.spec.id, { source, memory: new InstanceMemory() });
  }

  release(id: string): void {
    this.#all.get(id)?.source.close();
    this.#all.delete(id);
  }

  get ids(): readonly string[] {
    return [...this.#all.keys()];
  }

  get(id: string): Instance | undefined {
    return this.#all.get(id);
  }

  [Symbol.iterator](): Iterator<Instance> {
    return this.#all.values();
  }

  spec(id: string): InstanceSpec | undefined {
    return this.#all.get(id)?.source.spec;
  }

  memory(id: string): InstanceMemory | undefined {
    return this.#all.get(id)?.memory;
  }

  /** What is proven about addresses, also by the instances that lead to the same process. */
  identityOf({ spec: { id }, process: { identity } }: InstanceSource): Identity {
    const duplicates = [...this.#all.values()].filter(({ memory }) => memory.original === id);
    const addresses = duplicates.flatMap(({ source: { spec } }) =>
      typeof spec.address === 'string' ? [] : spec.address,
    );
    return { ...identity, same: [...identity.same, ...addresses] };
  }

  /**
   * Notes in the memory whether another instance is registered for the process that answered. Returns the instances that may be,
   * and that do not answer now.
   */
  async findOriginal(
    { source, memory }: Instance,
    { held }: { readonly held: HeldService | undefined },
  ): Promise<readonly string[]> {
    const all = [...this.#all.values()].map((one) => one.source.spec);
    const preceding = precedingInstances(source.spec, all).flatMap(({ id }) => this.#all.get(id) ?? []);
    // A service that is registered stays until the proof. A new one waits for the first answers of the others.
    const isNew = held === undefined && memory.original === undefined;
    if (held === undefined) await Promise.all(preceding.map((one) => one.source.probed));
    if (isNew) await this.#compare(source, preceding);
    const known = preceding.map(knownOf);
    memory.setOriginal(findOriginal(source.answered, { preceding: known, before: memory.original }));
    return isNew ? findUncompared(source.answered, known) : [];
  }

  /** Asks again which process answers at each, where one of them may have restarted since its last answer. */
  async #compare(own: InstanceSource, preceding: readonly Instance[]): Promise<void> {
    const { answered } = own;
    if (answered === undefined) return;
    const uncompared = findUncompared(answered, preceding.map(knownOf));
    const others = preceding.filter(({ source }) => uncompared.includes(source.spec.id));
    if (others.length === 0) return;
    await Promise.all(others.map(({ source }) => source.probeSince(answered.sinceMs)));
    await own.probeSince(Math.max(...others.map(({ source }) => source.answered?.sinceMs ?? 0)));
  }
}

function knownOf({ source }: Instance): { readonly id: string; readonly process: KnownProcess | undefined } {
  return { id: source.spec.id, process: source.answered };
}
