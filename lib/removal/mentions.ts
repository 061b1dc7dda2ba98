import type { Config } from '../config/model.ts';
import type { RemovalSnapshot } from './plan/snapshot.ts';

/** Where a config names a master or a cluster, as `register[0]`. Patterns do not count. */
export function findMentions(
  { register, sentinel, cluster, publish, templates }: Config,
  { name, subject }: Pick<RemovalSnapshot, 'name' | 'subject'>,
): readonly string[] {
  const instances = register?.instances ?? [];
  const registers = instances.flatMap(({ spec }, i) => {
    const kind = spec.kind === 'cluster' ? 'cluster' : 'master';
    return spec.name === name && kind === subject ? [`register[${i}]`] : [];
  });
  const inVars = templates.flatMap(({ vars }, i) => findName(vars, { name, path: `templates[${i}].vars` }));
  if (subject === 'cluster') {
    const followed = cluster.flatMap((one, i) => (one.name === name ? [`cluster[${i}]`] : []));
    return [...followed, ...registers, ...inVars];
  }
  const listed = sentinel?.masters.includes(name) === true ? ['sentinel.masters'] : [];
  const published = publish.some(({ masters }) => masters === name) ? [`publish.${name}`] : [];
  return [...registers, ...listed, ...published, ...inVars];
}

/** Keys and texts that are the name, such as `vars.ports.shard1`. */
function findName(value: unknown, at: { readonly name: string; readonly path: string }): readonly string[] {
  if (value === at.name) return [at.path];
  if (Array.isArray(value)) return value.flatMap((one, i) => findName(one, { ...at, path: `${at.path}[${i}]` }));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = `${at.path}.${key}`;
    return key === at.name ? [path] : findName(inner, { ...at, path });
  });
}
