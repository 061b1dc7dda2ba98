import { MasterMemory } from './memory.ts';

/** A memory for each master, made when it is first asked for. */
export function rememberMasters(): (name: string) => MasterMemory {
  const memories = new Map<string, MasterMemory>();
  return (name) => {
    const known = memories.get(name);
    if (known !== undefined) return known;
    const memory = new MasterMemory();
    memories.set(name, memory);
    return memory;
  };
}
