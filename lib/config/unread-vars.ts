import type { CompiledTemplate } from '../template/compile.ts';
import type { Config } from './model.ts';
import { formatPath, type Problem } from './problem.ts';
import { findSimilar } from './similar.ts';

/** Settings that have a warning of their own. */
const former = new Set(['base_port']);

/** Settings that a template does not read: probably misspelt. `compiled` has the templates in the order of the config. */
export function findUnreadVars(
  { templates }: Pick<Config, 'templates'>,
  compiled: readonly Pick<CompiledTemplate, 'vars'>[],
): readonly Problem[] {
  return templates.flatMap(({ vars, source }, i) => {
    const read = compiled[i]?.vars;
    if (read?.kind !== 'named') return [];
    const unread = Object.keys(vars).filter((name) => !read.names.has(name) && !former.has(name));
    return unread.map((name) => {
      const others = [...read.names].filter((other) => !Object.hasOwn(vars, other));
      const similar = findSimilar(name, others);
      const hint = similar === undefined ? 'remove it, or correct its name' : `did you mean ${similar}?`;
      return { path: formatPath(['templates', i, 'vars', name]), message: `is not read by ${source}`, hint };
    });
  });
}
