import { QuestionQueue } from '../../client/question-queue.ts';
import type { RedisAccess } from '../../client/redis-connection.ts';
import { SentinelLink } from '../../client/sentinel.ts';
import { SwitchmasterError } from '../../errors.ts';
import type { Address } from '../../model/address.ts';
import type { SentinelEvent, SentinelView } from '../../model/sentinel.ts';
import { applyElectionMessage, type Elections, noElections, type Selection, wonElection } from './election.ts';
import { KnownPeers } from './known-peers.ts';
import type { SentinelReading } from './sentinel-reading.ts';

/** How long one Sentinel may take to answer one question. */
export const askTimeoutMs = 1_000;

/** About how many masters one Sentinel is asked at a time, where nothing urgent depends on it. */
const mostAtOnce = 32;

/** How a Sentinel is asked about a master. */
export interface ViewQuestion {
  /** Default: {@link askTimeoutMs}. */
  readonly timeoutMs?: number;
  /** It waits for questions about other masters, and is not asked any more when this is aborted. Default: it is asked at once. */
  readonly queued?: AbortSignal;
  /** Called when it is asked, after the wait; never where its link is down. */
  readonly onAsked?: () => void;
}

export interface SentinelMemberOptions {
  readonly address: Address;
  /** Its id, where another Sentinel has named it. */
  readonly id: string | undefined;
  readonly origin: SentinelMember['origin'];
  readonly access: RedisAccess;
  readonly onEvent: (member: SentinelMember, event: SentinelEvent) => void;
  readonly onUp: (member: SentinelMember) => void;
  readonly onDown: (member: SentinelMember, error: SwitchmasterError) => void;
}

/** One Sentinel: the link to it, and what the bridge has learned from it. */
export class SentinelMember {
  readonly link: SentinelLink;
  #origin: 'configured' | 'discovered';
  #reportedId: string | undefined;
  #names: ReadonlySet<string> | undefined;
  readonly #everMonitored = new Set<string>();
  /** The other Sentinels that it knows. */
  readonly peers = new KnownPeers();
  /** What can wait. */
  readonly questions = new QuestionQueue(mostAtOnce);
  /** Why it answers no question although its link is up. */
  #refusal: SwitchmasterError | undefined;
  #elections: Elections = noElections;
  /** The masters whose coordinated failover it leads, by its last answer since the failover's last beginning or end. */
  readonly #coordinated = new Set<string>();
  /** Since when it is in TILT mode, in milliseconds since 1970. */
  #tiltSinceMs: number | undefined;
  #tiltMessages = 0;

  constructor(options: SentinelMemberOptions) {
    this.#origin = options.origin;
    this.#reportedId = options.id;
    this.link = new SentinelLink({
      address: options.address,
      access: options.access,
      onEvent: (event) => {
        this.#elections = applyElectionMessage(this.#elections, event);
        if (isTiltMessage(event)) this.#hearTilt(event.event);
        if (event.master !== undefined && beginsOrEnds(event.event)) this.#coordinated.delete(event.master);
        options.onEvent(this, event);
      },
      onUp: () => options.onUp(this),
      onDown: (error) => {
        // Messages may be lost while the link is down, so nothing is known of its failovers any more.
        this.#elections = noElections;
        this.#coordinated.clear();
        this.#tiltSinceMs = undefined;
        options.onDown(this, error);
      },
    });
  }

  get origin(): 'configured' | 'discovered' {
    return this.#origin;
  }

  /** Whether it is connected and answers questions. */
  get up(): boolean {
    return this.link.up && this.#refusal === undefined;
  }

  /** Why it is not {@link up}. */
  get error(): SwitchmasterError | undefined {
    return this.link.error ?? this.#refusal;
  }

  /** Since when it is in TILT mode, in milliseconds since 1970. */
  get tiltSinceMs(): number | undefined {
    return this.#tiltSinceMs;
  }

  /** Whether its user may not receive its messages. */
  get isSilent(): boolean {
    return this.link.refusedCommands.some(({ command }) => command === 'PSUBSCRIBE');
  }

  /** Its own answer to SENTINEL MYID, or else its id by another Sentinel. */
  get knownId(): string | undefined {
    return this.link.provenId ?? this.#reportedId;
  }

  /** The wanted masters that it monitors; undefined until it was asked. */
  get names(): ReadonlySet<string> | undefined {
    return this.#names;
  }

  /** Whether it has monitored `name` at any time since this process started. */
  hasMonitored(name: string): boolean {
    return this.#everMonitored.has(name);
  }

  /** The failover of `name` that this Sentinel leads, from the selection of a replica to the end. */
  election(name: string): Selection | undefined {
    const won = wonElection(this.#elections, name);
    return won === undefined || !this.#coordinated.has(name) ? won : { ...won, isCoordinated: true };
  }

  listAs(origin: SentinelMember['origin']): void {
    this.#origin = origin;
  }

  learnId(id: string): void {
    this.#reportedId = id;
  }

  /** Records which wanted masters it monitors, and returns those that are new. */
  learnNames(names: readonly string[]): readonly string[] {
    const fresh = names.filter((name) => !this.#names?.has(name));
    this.#names = new Set(names);
    this.#refusal = undefined;
    for (const name of names) this.#everMonitored.add(name);
    return fresh;
  }

  /** It answered a question with an error: it is no Sentinel, or it denies access. Returns whether that is new. */
  learnRefusal(error: SwitchmasterError): boolean {
    const isNew = this.#refusal?.message !== error.message;
    this.#refusal = error;
    return isNew;
  }

  /**
   * Asks whether it is in TILT mode: that may have begun before the link was up. Returns whether the answer is news. A message
   * that arrives meanwhile is newer than the answer.
   */
  async learnTilt(): Promise<boolean> {
    const heard = this.#tiltMessages;
    const before = this.#tiltSinceMs;
    const sinceMs = await this.link.tiltSince({ timeoutMs: askTimeoutMs }).catch(() => before);
    if (heard !== this.#tiltMessages || (before === undefined) === (sinceMs === undefined)) return false;
    this.#tiltSinceMs = sinceMs;
    return true;
  }

  /** Asks about `name`. A Sentinel that does not answer in time, or was not asked any more, is `unreachable`. */
  async read(name: string, { timeoutMs = askTimeoutMs, queued, onAsked }: ViewQuestion = {}): Promise<SentinelReading> {
    // Another reading than a full run's leaves it to the list of all masters to wake one.
    const ask = () => this.#ask(name, { timeoutMs, onAsked, noted: queued !== undefined });
    try {
      const view = await (queued === undefined ? ask() : this.questions.ask(ask, queued));
      return { kind: 'seen', ...this.#identity, view };
    } catch (thrown) {
      const error = SwitchmasterError.from(thrown);
      // The bridge may have learned that while the question waited.
      const who = { ...this.#identity, hasMonitored: this.hasMonitored(name) };
      return error.code === 'sentinel-master-unknown'
        ? { kind: 'unaware', ...who }
        : { kind: 'unreachable', ...who, error };
    }
  }

  get #identity(): Pick<SentinelReading, 'sentinel' | 'sentinelId'> {
    return { sentinel: this.link.address, sentinelId: this.link.id };
  }

  async #ask(
    name: string,
    given: { readonly timeoutMs: number; readonly onAsked: (() => void) | undefined; readonly noted: boolean },
  ): Promise<SentinelView> {
    if (this.link.error !== undefined) throw this.link.error;
    const { timeoutMs, onAsked, noted } = given;
    onAsked?.();
    const view = await this.link.view(name, { timeoutMs, noted });
    if (view.isCoordinated === true) this.#coordinated.add(name);
    else this.#coordinated.delete(name);
    const won = this.election(name);
    const election = won === undefined ? {} : { election: { epoch: won.epoch, selected: won.selected } };
    const tilt = this.#tiltSinceMs === undefined ? {} : { tiltSinceMs: this.#tiltSinceMs };
    return { ...view, ...election, ...tilt };
  }

  #hearTilt(event: string): void {
    this.#tiltMessages += 1;
    this.#tiltSinceMs = event === '-tilt' ? undefined : (this.#tiltSinceMs ?? Date.now());
  }
}

function beginsOrEnds(event: string): boolean {
  return event === '+try-failover' || event === '+switch-master' || event.startsWith('-failover-abort');
}

export function isTiltMessage({ event }: Pick<SentinelEvent, 'event'>): boolean {
  return event === '+tilt' || event === '-tilt';
}
