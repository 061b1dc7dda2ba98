/**
 * Keeps the state that the server answers. The event stream says what changed, and the page requests only that again. A
 * poll finds changes without an event, such as a Sentinel that is unreachable, and notices when the server does not
 * answer: a dead connection may stay open. Views never make requests.
 *
 * One reading follows another. Two at once may be answered in the other order, and the older answer would replace the
 * newer one: the page would show the former master again.
 *
 * @import { Entry, World } from './api.d.ts'
 * @import { Share } from './readings.js'
 */
import { EventStream } from './event-stream.js';
import { maxEntries, Readings } from './readings.js';
import { Refused } from './server.js';
import { emptyWorld, mergeEntries } from './world.js';

/** Changes within this time are one request. */
const debounceMs = 40;
/** The interval of polls while the server answers, and while it does not. */
const pollMs = { live: 4_000, old: 1_000 };
/** With this many masters or more, not every poll requests their list. */
const manyMasters = 30;
/** Without any answer for this time, the state is old. */
const maxAgeMs = 7_000;
/** Loops whose keys are masters. */
const aboutMasters = new Set(['bridge', 'fence', 'crash', 'isolation', 'failover', 'rebase', 'maintenance']);

export class Feed {
  /** @type {World} */
  world = emptyWorld();
  /** @type {(world: World, fresh: readonly Entry[]) => void} */
  #onChange;
  #stream = new EventStream();
  #readings = new Readings({
    world: () => this.world,
    become: (change) => {
      this.#lastAnswerMs = Date.now();
      this.#become(change);
    },
    onEntries: (entries) => this.#takeEntries(entries),
  });
  #lastId = 0;
  #lastAnswerMs = 0;
  #lastCheckMs = Date.now();
  /** What to read next, by loop. @type {Map<string, Set<string>>} */
  #wanted = new Map();
  #isPollDue = false;
  #isReading = false;
  /** @type {number | undefined} */
  #debounce;
  /** @type {number | undefined} */
  #nextPoll;
  #polls = 0;

  /** @param {(world: World, fresh: readonly Entry[]) => void} onChange Gets the new entries, oldest first. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  start() {
    document.addEventListener('visibilitychange', () => this.#onVisibility());
    addEventListener('online', () => this.#pollNow());
    this.#pollNow();
  }

  /** @param {string} filter */
  setFilter(filter) {
    this.#become({ filter });
  }

  /**
   * Requests the state of a master or a template after an order.
   * @param {'approve' | 'render' | 'failover' | 'rebase'} order
   * @param {string} name
   */
  want(order, name) {
    this.#want(order === 'approve' || order === 'render' ? 'renderer' : 'bridge', name);
  }

  /** Once a second: notices that nothing was answered for a while, as after the sleep of a laptop. */
  check() {
    const nowMs = Date.now();
    const hasSlept = nowMs - this.#lastCheckMs > maxAgeMs;
    this.#lastCheckMs = nowMs;
    // The browser runs the timers of a hidden page once a minute.
    if (document.hidden) return;
    // Its connection may be dead without either side knowing.
    if (hasSlept) this.#stream.close();
    if (this.world.link.kind !== 'live' || nowMs - this.#lastAnswerMs <= maxAgeMs) return;
    this.#becomeOld(undefined);
    this.#pollNow();
  }

  /** A browser opens six connections to a server: hidden pages leave them to the visible one, and poll. */
  #onVisibility() {
    if (document.hidden) this.#stream.close();
    else this.#pollNow();
  }

  #connect() {
    this.#stream.open(this.#lastId, {
      onEntry: (event) => this.#onEntry(event),
      onGap: () => void this.#readings.readHistory().catch((error) => this.#becomeOld(error)),
      // A poll finds out at once whether the server answers. A stream that is refused alone does not poll over and over.
      onLost: () => this.#pollNow(),
    });
  }

  /** @param {MessageEvent} event */
  #onEntry(event) {
    /** @type {Entry} */
    const entry = JSON.parse(event.data);
    this.#lastAnswerMs = Date.now();
    this.#takeEntries([entry]);
    this.#want(aboutMasters.has(entry.loop) ? 'bridge' : entry.loop, entry.key);
    if (entry.loop === 'maintenance' || entry.loop.startsWith('cluster')) this.#want('cluster', entry.key);
  }

  /** @param {readonly Entry[]} received */
  #takeEntries(received) {
    const known = new Set(this.world.entries.map(({ id }) => id));
    const fresh = received.filter(({ id }) => !known.has(id));
    if (fresh.length === 0) return;
    const entries = mergeEntries(this.world.entries, fresh).slice(0, maxEntries);
    this.#lastId = Math.max(this.#lastId, entries[0]?.id ?? 0);
    this.#become(
      { entries },
      fresh.toSorted((a, b) => a.id - b.id),
    );
  }

  /**
   * @param {string} loop
   * @param {string} key
   */
  #want(loop, key) {
    const keys = this.#wanted.get(loop) ?? new Set();
    this.#wanted.set(loop, keys.add(key));
    this.#debounce ??= setTimeout(() => {
      this.#debounce = undefined;
      void this.#readNext();
    }, debounceMs);
  }

  #pollNow() {
    clearTimeout(this.#nextPoll);
    this.#isPollDue = true;
    void this.#readNext();
  }

  /** Reads what is due until nothing is. */
  async #readNext() {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isPollDue || (this.#wanted.size > 0 && this.world.link.kind === 'live')) {
      const isPoll = this.#isPollDue;
      const share = this.#nextShare();
      this.#isPollDue = false;
      this.#wanted = new Map();
      await this.#answering(() => this.#readings.read(share));
      const isLive = this.world.link.kind === 'live';
      if (isPoll && isLive && !document.hidden && !this.#stream.isOpen) this.#connect();
      if (isPoll || !isLive) this.#schedulePoll();
    }
    this.#isReading = false;
  }

  #schedulePoll() {
    clearTimeout(this.#nextPoll);
    this.#nextPoll = setTimeout(() => this.#pollNow(), pollMs[this.world.link.kind === 'live' ? 'live' : 'old']);
  }

  /** @returns {Share} */
  #nextShare() {
    const isFull = this.#isPollDue && (this.world.link.kind !== 'live' || this.#polls % 3 === 0);
    if (this.#isPollDue) this.#polls += 1;
    const isList = isFull || (this.#isPollDue && this.world.masters.size < manyMasters);
    const names = (/** @type {string} */ loop) => this.#wanted.get(loop) ?? new Set();
    return {
      masters: isList ? 'all' : names('bridge'),
      templates: isFull ? 'all' : names('renderer'),
      clusters: isFull || this.#wanted.has('cluster'),
      instances: isFull || this.#wanted.has('registrar'),
      rest: isFull,
    };
  }

  /**
   * Makes requests, and notes whether the server answers.
   * @param {() => Promise<void>} asking
   */
  async #answering(asking) {
    try {
      await asking();
      this.#lastAnswerMs = Date.now();
      if (this.world.link.kind !== 'live') this.#become({ link: { kind: 'live' } });
    } catch (thrown) {
      this.#becomeOld(thrown);
    }
  }

  /** @param {unknown} thrown undefined if nothing came. */
  #becomeOld(thrown) {
    const refusal = thrown instanceof Refused ? `${thrown.code}: ${thrown.message}` : null;
    this.#become({ link: { kind: 'old', sinceMs: this.#lastAnswerMs, refusal } });
  }

  /**
   * @param {Partial<World>} change
   * @param {readonly Entry[]} fresh
   */
  #become(change, fresh = []) {
    this.world = { ...this.world, ...change };
    this.#onChange(this.world, fresh);
  }
}
