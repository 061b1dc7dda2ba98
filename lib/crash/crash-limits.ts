import { type Permit, Semaphore } from '../semaphore.ts';

/**
 * For each crash that is judged, every Sentinel and every replica is asked some fifty times a second. A few take less time one after the
 * other than many side by side, which make the daemon too slow for a proof.
 */
const mostJudged = 16;
/**
 * A Sentinel writes a config file with all its masters several times in each failover, which takes some tens of microseconds for each of
 * them. If a run of its timer lasts for two seconds, it enters TILT mode and fails over nothing for 30 s. So failovers do not begin
 * together, and as many are under way as a Sentinel can write for in that time. See docs/performance/growth.md.
 */
const msForEachMaster = 0.025;
const mostMs = 1_600;
const fewestFailovers = 4;

/** A permit to judge a crash, and to order its failover. */
export interface CrashPermit extends Omit<Permit, 'tryEnter'> {
  /** The judgement has ended. An ordered failover is still under way. */
  endJudgement(): void;
}

/** How many crashes are judged at once, and how many failovers may be under way because of them. The others wait in their order. */
export class CrashLimits {
  readonly #judgements = new Semaphore({ places: () => mostJudged });
  readonly #failovers: Semaphore;

  /** `masters`: how many there are. */
  constructor(masters: () => number) {
    const everyMs = () => Math.max(1, masters()) * msForEachMaster;
    const places = () => Math.max(fewestFailovers, Math.floor(mostMs / everyMs()));
    this.#failovers = new Semaphore({ places, everyMs });
  }

  /** `rank`: of those that wait, the lowest goes first. */
  permit(rank: () => number): CrashPermit {
    const [judgement, failover] = [this.#judgements.permit(rank), this.#failovers.permit(rank)];
    return {
      // A place for a failover is the last one, so that those that waited long for another do not begin together.
      async enter(signal) {
        const entered = [await judgement.enter(signal), await failover.enter(signal)];
        return entered.includes('waited') ? 'waited' : 'at-once';
      },
      leave() {
        judgement.leave();
        failover.leave();
      },
      endJudgement: () => judgement.leave(),
      get isWaitedFor() {
        return judgement.isWaitedFor || failover.isWaitedFor;
      },
    };
  }
}
