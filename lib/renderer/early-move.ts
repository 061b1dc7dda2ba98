import type { Precedence } from '../client/precedence.ts';
import type { Run } from '../loop/run.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { isMasterChange, type RenderHint } from './hint.ts';
import type { StageClock } from './stages.ts';

/**
 * Runs a template. At a change of master, HAProxy's servers move first: Consul's answers are not read meanwhile, and other
 * templates are rendered afterwards. Otherwise the connection to HAProxy's socket waits for all of that. Without `precedence`,
 * all run at the same time.
 */
export async function runInOrder<T>(
  precedence: Pick<Precedence, 'first' | 'after'> | undefined,
  of: {
    readonly spec: { readonly reload?: TemplateSpec['reload'] | undefined };
    readonly run: Pick<Run<RenderHint>, 'hints'>;
    readonly clock: StageClock;
  },
  work: () => Promise<T>,
): Promise<T> {
  const { spec, run, clock } = of;
  if (precedence === undefined || !run.hints.some(isMasterChange)) return work();
  if (spec.reload?.kind === 'haproxy') {
    const end = Promise.withResolvers<void>();
    void precedence.first(() => Promise.race([clock.moved, end.promise]));
    return work().finally(end.resolve);
  }
  // The same decision wakes all templates one after the other, and HAProxy's may be a later one.
  await Promise.resolve();
  await precedence.after();
  return work();
}
