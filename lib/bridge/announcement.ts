import type { RedisPool } from '../client/redis-pool.ts';
import type { SentinelConfig } from '../config/model.ts';
import type { Run } from '../loop/run.ts';
import type { Address } from '../model/address.ts';
import type { RoleAnswer, SentinelView } from '../model/sentinel.ts';
import type { Decided, Decider } from './decider.ts';
import { type AnnouncementHint, type BridgeHint, isAnnouncement, latestBySentinel } from './hint.ts';
import { aborted } from './interruption.ts';
import { distinctViews } from './observe/sentinel-reading.ts';
import type { SentinelSource } from './observe/sentinels.ts';

export interface AnnouncementReaderOptions {
  readonly sentinels: SentinelSource;
  readonly redis: RedisPool;
  readonly decider: Decider;
  readonly settings: Pick<SentinelConfig, 'roleDeadlineMs'>;
}

/**
 * Reads what was announced, and nothing else. All Sentinels announce the same change within milliseconds, and one answer is
 * enough. So this reads the first announcement alone, and the others only if the first answer takes too long or does not
 * suffice. A Sentinel that is out of reach delays no failover, and no unnecessary read is under way.
 */
export class AnnouncementReader {
  readonly #options: AnnouncementReaderOptions;
  /** An announcement that comes during a run is also a hint of the next run: reading it once is enough. */
  readonly #read = new WeakSet<AnnouncementHint>();

  constructor(options: AnnouncementReaderOptions) {
    this.#options = options;
  }

  /** undefined where nothing was announced, or where what was announced does not suffice for a decision. */
  async decide(run: Run<BridgeHint>, { wokenMs }: { readonly wokenMs: number }): Promise<Decided | undefined> {
    const { key: name } = run;
    const { decider } = this.#options;
    const pending = new Map<AnnouncementHint, Promise<Answer>>();
    const headStart = AbortSignal.timeout(headStartMs);
    const read = (hints: readonly AnnouncementHint[]) => {
      for (const hint of this.#unread(hints)) pending.set(hint, freshAnswer(hint) ?? this.#ask(name, hint));
    };
    read(run.hints.filter(isAnnouncement));
    for (;;) {
      if (pending.size === 0 || headStart.aborted) read(run.takeUrgent().filter(isAnnouncement));
      if (pending.size === 0) return undefined;
      const interruption = headStart.aborted ? run.interrupted : headStart;
      const answer = await Promise.race([...pending.values(), aborted(interruption)]);
      if (answer === undefined) continue;
      pending.delete(answer.hint);
      const { hint, views, role, announced } = answer;
      const finding = decider.find(name, { views, complete: false, role, announced, wokenMs });
      if (finding === undefined) return undefined;
      const decided = await decider.decide(finding);
      if (decided.decision.kind !== 'ask-all') return decided;
      // To ask a target again that was out of reach just now would take the deadline once more.
      const unreached = role?.role === 'unreachable' ? role : undefined;
      if (announced !== undefined) pending.set(hint, this.#ask(name, hint, unreached));
    }
  }

  /** Marks them as read. */
  #unread(announcements: readonly AnnouncementHint[]): readonly AnnouncementHint[] {
    const unread = announcements.filter((hint) => !this.#read.has(hint));
    for (const hint of unread) this.#read.add(hint);
    return latestBySentinel(unread);
  }

  /** The Sentinel, and at the same time the target if its answer is not `known`. */
  async #ask(name: string, hint: AnnouncementHint, known?: RoleAnswer): Promise<Answer> {
    const { sentinels, redis, settings } = this.#options;
    const { sentinel, target } = hint;
    const [readings, role] = await Promise.all([
      sentinels.read(name, { only: [sentinel] }),
      known !== undefined || target === undefined ? known : redis.role(target, { timeoutMs: settings.roleDeadlineMs }),
    ]);
    return { hint, views: distinctViews(readings), role };
  }
}

/** Far longer than an answer takes, and far shorter than a failover. */
const headStartMs = 30;

/** What came with the hint; undefined where nothing did, or where the run has waited for another one for too long. */
function freshAnswer(hint: AnnouncementHint): Promise<Answer> | undefined {
  const { answers, event, target } = hint;
  if (answers === undefined || performance.now() >= answers.untilMs) return undefined;
  const announced = event === '+switch-master' ? target : undefined;
  return Promise.all([answers.readings, answers.role]).then(([readings, role]) => {
    return { hint, views: distinctViews(readings), role, announced };
  });
}

interface Answer {
  readonly hint: AnnouncementHint;
  readonly views: readonly SentinelView[];
  readonly role: RoleAnswer | undefined;
  /** The target, where it was announced after these answers. */
  readonly announced?: Address | undefined;
}
