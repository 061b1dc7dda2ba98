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
 * The order of the templates at a change of master: HAProxy's servers move first, and other templates are rendered afterwards. Consul's
 * answers are not read until then, nor until the other files without a check have their names. Otherwise the connection to HAProxy's
 * socket, and each of the calls that write a file, waits for all of that.
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
      readonly spec: { readonly [K in 'reload' | 'check']?: TemplateSpec[K] | undefined };
      readonly run: Pick<Run<RenderHint>, 'hints'>;
      readonly clock: StageClock;
    },
    work: () => Promise<T>,
  ): Promise<T> {
    const { spec, run, clock } = of;
    if (!run.hints.some(isMasterChange)) return work();
    const end = Promise.withResolvers<void>();
    if (spec.reload?.kind === 'haproxy') {
      const move = () => Promise.race([clock.until('moved'), end.promise]);
      void this.#answers.first(() => this.#moves.first(move));
      return work().finally(end.resolve);
    }
    // The same decision wakes all templates one after the other, and HAProxy's may be a later one.
    await Promise.resolve();
    await this.#moves.after();
    // Before a check, the swap waits for a program. Meanwhile another master may move.
    if (spec.check === undefined) void this.#answers.first(() => Promise.race([clock.until('swapped'), end.promise]));
    return work().finally(end.resolve);
  }
}
