import type { ServiceInstance } from './catalog.ts';
import { dnsSafe, type Naming } from './naming.ts';

/**
 * Whether an instance of `redis-master` or `redis-replica` belongs to a master of this environment. Its tags are the master's
 * name, the name's DNS-safe form, and the environment.
 */
export function isOfMaster({ tags }: ServiceInstance, of: { readonly naming: Naming; readonly name: string }): boolean {
  const { environment } = of.naming;
  const own = [of.name, dnsSafe(of.name)];
  if (!tags.includes(of.name)) return false;
  return environment === undefined ? tags.every((tag) => own.includes(tag)) : tags.includes(environment);
}
