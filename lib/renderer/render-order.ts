import { Precedence } from '../client/precedence.ts';
import type { Run } from '../loop/run.ts';
import type { TemplateSpec } from '../model/template-spec.ts';
import { isMasterChange, type RenderHint } from './hint.ts';
import type { StageClock } from './stages.ts';

export interface RenderOrderOptions {
  /** What goes before the answers of Consul's blocking queries. Default: nothing does. */
  readonly answers?: Pick<Precedence, 'first'> | undefined;
  /** The longest that other templates wait. Default: see {@link Precedence}. */
  readonly longestWaitMs?: number;
}

/**
 * The order of the templates at a change of master: HAProxy's servers move first. Consul's answers are not read meanwhile, and
 * other templates are rendered afterwards. Otherwise the connection to HAProxy's socket waits for all of that.
 */
export class RenderOrder {
  readonly #answers: Pick<Precedence, 'first'>;
  /** Apart from what goes before Consul's answers, such as the transaction: no file waits for Consul. */
  readonly #moves: Precedence;

  constructor({ answers = new Precedence(), ...limits }: RenderOrderOptions) {
    this.#answers = answers;
    this.#moves = new Precedence(limits);
  }

  /** Runs a template. */
  async run<T>(
    of: {
      readonly spec: { readonly reload?: TemplateSpec['reload'] | undefined };
      readonly run: Pick<Run<RenderHint>, 'hints'>;
      readonly clock: StageClock;
    },
    work: () => Promise<T>,
  ): Promise<T> {
    const { spec, run, clock } = of;
    if (!run.hints.some(isMasterChange)) return work();
    if (spec.reload?.kind === 'haproxy') {
      const end = Promise.withResolvers<void>();
      const move = () => Promise.race([clock.moved, end.promise]);
      void this.#answers.first(() => this.#moves.first(move));
      return work().finally(end.resolve);
    }
    // The same decision wakes all templates one after the other, and HAProxy's may be a later one.
    await Promise.resolve();
    await this.#moves.after();
    return work();
  }
}
