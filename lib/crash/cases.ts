import { performance } from 'node:perf_hooks';
import type { Address } from '../model/address.ts';
import { type CrashEndKind, crashEnds, judgeAgainAfterMs } from '../model/crash-end.ts';
import { longestTimerMs } from '../model/duration.ts';
import { CrashCase } from './case.ts';
import type { CrashCaseParts, Judgement } from './case-options.ts';
import { CrashLimits, type CrashPermit } from './crash-limits.ts';
import { type Crash, isNewOrder, isNews, isSameCrash, type Judged, type Opened, rankOf } from './judged.ts';
import { firstWaitMs, laterWaitMs, obstacleWaitMs } from './pace.ts';
import type { CrashEnd, CrashSubject } from './subject.ts';

export interface CrashCasesOptions<Closed, Target> extends CrashCaseParts {
  readonly toSubject: (closed: Closed) => Promise<CrashSubject<Target>>;
  readonly masterOf: (closed: Closed) => Address;
  /** By which the bridges exchange their evidence. */
  readonly nameOf: (closed: Closed) => string;
  /** How many masters there are. */
  readonly masters: () => number;
  /** Whether the record still names the master that was closed. */
  readonly isCurrent: (closed: Closed) => boolean;
  /** Why nothing may be ordered about it; undefined where it may. */
  readonly whyNot: (closed: Closed) => string | undefined;
  /** A connection was closed while a case was at work that did not end with a crash. */
  readonly onClosedAgain: (closed: Closed) => void;
}

/** A crash whose failover this bridge has not ordered. */
interface Unordered {
  readonly address: Address;
  readonly why: string;
  /** ISO 8601. */
  readonly at: string;
}

/** Bridges that judge a crash together see each other's evidence. It must not start them again and again. */
const quietMs = 1_000;

/**
 * The crashes that a bridge judges, by a key: one case of a master at a time, and the end of the last one until the process is there
 * again or the record names another master. A crash without an order is judged again.
 */
export class CrashCases<Closed extends object, Target> {
  readonly #options: CrashCasesOptions<Closed, Target>;
  readonly #cases = new Map<string, Opened<Closed>>();
  readonly #judged = new Map<string, Judged<Closed>>();
  readonly #abort = new AbortController();
  readonly #limits: CrashLimits;

  constructor(options: CrashCasesOptions<Closed, Target>) {
    this.#options = options;
    this.#limits = new CrashLimits(options.masters);
  }

  start(): void {
    this.#options.evidence.start();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    for (const { timer } of this.#judged.values()) clearTimeout(timer);
    await Promise.all([...this.#cases.values()].map(({ ended }) => ended));
    await this.#options.evidence.stop();
  }

  get isStopped(): boolean {
    return this.#abort.signal.aborted;
  }

  /** The other side closed a connection: begins a case. One that is at work does not see it, so another one follows. */
  close(key: string, makeClosed: () => Closed | undefined): void {
    const running = this.#cases.get(key);
    if (running !== undefined) {
      running.isClosedAgain = true;
      running.isOutdated ||= running.isConnected;
      running.isConnected = false;
    }
    if (running !== undefined || this.isStopped) return;
    const closed = makeClosed();
    if (closed === undefined) return;
    const orderBefore = this.#options.evidence.orderIndex(this.#options.nameOf(closed));
    this.#open(key, { closed, reported: new Set(), attempt: 0, orderBefore }, firstWaitMs);
  }

  /** The server accepts connections. */
  connected(key: string, isMeant: (closed: Closed) => boolean = () => true): void {
    const judged = this.#judged.get(key);
    if (judged !== undefined && isMeant(judged.crash.closed)) this.forget(key);
    const running = this.#cases.get(key);
    if (running !== undefined && isMeant(running.crash.closed)) running.isConnected = true;
  }

  /** Something that concerns the crash has changed: judges it now, or after the case that is at work. */
  judgeAgain(key: string, change: Partial<Closed> = {}): void {
    const running = this.#cases.get(key);
    if (running !== undefined) running.change = { ...running.change, ...change };
    else this.#judgeAgain(key, { change, attempt: 0, waitMs: firstWaitMs });
  }

  get keys(): readonly string[] {
    return [...new Set([...this.#cases.keys(), ...this.#judged.keys()])];
  }

  /** A crash whose failover this bridge has not ordered, as long as the record names the master. */
  unordered(key: string): Unordered | null {
    const { why, at, crash } = this.#judged.get(key) ?? {};
    if (why === undefined || at === undefined || crash === undefined) return null;
    const { isCurrent, masterOf } = this.#options;
    return isCurrent(crash.closed) ? { address: masterOf(crash.closed), why, at } : null;
  }

  forget(key: string): void {
    const judged = this.#judged.get(key);
    clearTimeout(judged?.timer);
    judged?.unfollow();
    this.#judged.delete(key);
  }

  /** Forgets crashes of masters that the record does not name any more. */
  forgetOutdated(): void {
    for (const [key, { crash }] of this.#judged) if (!this.#options.isCurrent(crash.closed)) this.forget(key);
  }

  #judgeLater(key: string, { crash }: Judged<Closed>): void {
    this.#judgeAgain(key, { change: {}, attempt: crash.attempt + 1, waitMs: laterWaitMs });
  }

  #judgeAgain(
    key: string,
    { change, attempt, waitMs }: { change: Partial<Closed>; attempt: number; waitMs: number },
  ): void {
    const judged = this.#judged.get(key);
    if (judged === undefined || this.isStopped) return;
    const { crash } = judged;
    const closed = { ...crash.closed, ...change };
    if (this.#options.isCurrent(closed)) this.#open(key, { ...crash, closed, attempt }, waitMs);
    else this.forget(key);
  }

  #open(key: string, crash: Crash<Closed>, waitMs: number): void {
    const connection = { isClosedAgain: false, isConnected: false, isOutdated: false };
    const state = {
      change: undefined,
      hasNewOrder: false,
      isHurried: false,
      lastEnd: undefined,
      ended: Promise.resolve(),
    };
    const opened: Opened<Closed> = { crash, ...connection, ...state };
    this.#cases.set(key, opened);
    // One case at a time, also of a crash that another close began again.
    clearTimeout(this.#judged.get(key)?.timer);
    // A case rejects if it is stopped.
    const pursuing = this.#pursue(opened, waitMs).catch((): Judgement => 'unclear');
    opened.ended = pursuing.then((judgement) => this.#settle(key, opened, judgement));
  }

  async #pursue(opened: Opened<Closed>, waitMs: number): Promise<Judgement> {
    const { closed } = opened.crash;
    const { evidence, nameOf, masterOf } = this.#options;
    const startedMs = performance.now();
    const isSeenElsewhere = () => evidence.isSeenElsewhere(nameOf(closed), masterOf(closed));
    const permit = this.#limits.permit(() => rankOf(opened.crash.reported, isSeenElsewhere()));
    const { signal } = this.#abort;
    let settled: Promise<unknown> = Promise.resolve();
    try {
      const subject = await this.#options.toSubject(closed);
      const run = { startedMs, ...this.#runFor(opened, { subject, permit }) };
      const wait = (end?: CrashEndKind) => obstacleWaitMs(end, { waitMs, isWaitedFor: permit.isWaitedFor });
      const judgement = await new CrashCase(subject, this.#options, { ...run, waitMs: wait }).pursue(signal);
      if (opened.hasNewOrder) settled = subject.settled(signal);
      return judgement;
    } finally {
      void settled.then(permit.leave, permit.leave);
    }
  }

  #runFor(opened: Opened<Closed>, by: { readonly subject: CrashSubject<Target>; readonly permit: CrashPermit }) {
    const { subject, permit } = by;
    const { reported, orderBefore } = opened.crash;
    const onEnd = (end: CrashEnd<Target>) => {
      opened.lastEnd = end;
      opened.hasNewOrder = isNewOrder(end.kind, reported);
      opened.isHurried = permit.isWaitedFor;
      permit.endJudgement();
      if (!isNews(end.kind, reported)) return;
      reported.add(end.kind);
      subject.report(end);
    };
    return { permit, isOutdated: () => opened.isOutdated, orderBefore, onEnd };
  }

  #settle(key: string, opened: Opened<Closed>, judgement: Judgement): void {
    const { crash, change, isClosedAgain } = opened;
    this.#cases.delete(key);
    if (judgement === 'not-crashed') this.forget(key);
    if (judgement === 'judged') this.#keep(key, opened);
    const before = this.#judged.get(key);
    // It was proven before, and nobody has answered since.
    if (judgement === 'unclear' && before !== undefined) {
      if (isSameCrash(before, crash)) before.crash = crash;
      this.#setTimer(key, before, { kind: 'unclear', forMs: undefined });
    }
    if (isClosedAgain && judgement !== 'judged') this.#options.onClosedAgain(crash.closed);
    else if (change !== undefined) this.#judgeAgain(key, { change, attempt: 0, waitMs: firstWaitMs });
  }

  #keep(key: string, { crash, lastEnd, isConnected, isHurried }: Opened<Closed>): void {
    const before = this.#judged.get(key);
    this.forget(key);
    // A process that came back without its keys is there.
    const isGone = !isConnected && lastEnd?.sign.kind === 'refused';
    const known = before !== undefined && isSameCrash(before, crash) ? before : undefined;
    const at = known?.at ?? new Date().toISOString();
    const whys = { shown: lastEnd?.why, kept: known?.why, none: undefined };
    const why = isGone ? whys[crashEnds[lastEnd.kind].problem] : undefined;
    const state = { timer: undefined, unfollow: () => undefined };
    const judged: Judged<Closed> = { crash, why, at, endedMs: performance.now(), ...state };
    this.#judged.set(key, judged);
    if (!isGone || crashEnds[lastEnd.kind].again === 'never') return;
    this.#setTimer(key, judged, { ...lastEnd, isHurried });
    this.#follow(key, judged);
  }

  #setTimer(key: string, judged: Judged<Closed>, end: Omit<Parameters<typeof judgeAgainAfterMs>[0], 'attempt'>): void {
    const inMs = judgeAgainAfterMs({ ...end, attempt: judged.crash.attempt });
    if (inMs === undefined || this.isStopped) return;
    judged.timer = setTimeout(
      () => {
        // In maintenance nothing has to be asked.
        const isHeld = this.#options.whyNot(judged.crash.closed) !== undefined;
        if (isHeld) this.#setTimer(key, judged, { kind: 'maintenance', forMs: undefined });
        else this.#judgeLater(key, judged);
      },
      Math.min(inMs, longestTimerMs),
    );
  }

  /** Where a majority of the bridges must see a crash, they must judge it at the same time. */
  #follow(key: string, judged: Judged<Closed>): void {
    const { evidence, nameOf, masterOf, whyNot } = this.#options;
    const { closed } = judged.crash;
    const isDue = () => !this.#cases.has(key) && performance.now() - judged.endedMs >= quietMs;
    judged.unfollow = evidence.follow(nameOf(closed), () => {
      if (isDue() && whyNot(closed) === undefined && evidence.isSeenElsewhere(nameOf(closed), masterOf(closed)))
        this.#judgeLater(key, judged);
    });
  }
}
