/**
 * Keeps the state that the server answers. The event stream says what changed, and the page requests only that again. A
 * poll finds changes without an event, such as a Sentinel that is unreachable, and notices when the server does not
 * answer: a dead connection may stay open. Views never make requests.
 *
 * @import { Cluster, Entry, Master, Template, TemplateText, World } from './api.d.ts'
 */
import { setClock } from './clock.js';
import { EventStream } from './event-stream.js';
import { indexHealth } from './health.js';
import { visibleState } from './master-state.js';
import { ask, pathOf, readGuide } from './server.js';
import { byName, emptyWorld, keepUnchanged, mergeEntries } from './world.js';

const maxEntries = 600;
/** Changes within this time are one request. */
const debounceMs = 40;
/** For more changed masters than this, the page requests the whole list. */
const manyKeys = 8;
/** The interval of polls while the server answers, and while it does not. */
const pollMs = { live: 4_000, old: 1_000 };
/** With this many masters or more, not every poll requests their list. */
const manyMasters = 30;
/** Loops whose keys are masters. */
const aboutMasters = new Set(['bridge', 'fence', 'crash', 'isolation', 'failover', 'rebase', 'maintenance']);

export class Feed {
  /** @type {World} */
  world = emptyWorld();
  /** @type {(world: World, fresh: readonly Entry[]) => void} */
  #onChange;
  #stream = new EventStream();
  #lastId = 0;
  #lastAnswerMs = 0;
  /** @type {Map<string, Set<string>>} */
  #wanted = new Map();
  /** @type {number | undefined} */
  #debounce;
  /** @type {number | undefined} */
  #nextPoll;
  #polling = false;
  #polls = 0;

  /** @param {(world: World, fresh: readonly Entry[]) => void} onChange Gets the new entries, oldest first. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  start() {
    document.addEventListener('visibilitychange', () => document.hidden || this.#pollNow());
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

  #connect() {
    this.#stream.open(this.#lastId, {
      onEntry: (event) => this.#onEntry(event),
      onGap: () => void this.#readHistory(),
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
      const wanted = this.#wanted;
      this.#wanted = new Map();
      this.#answering(() => this.#readWanted(wanted));
    }, debounceMs);
  }

  /** @param {Map<string, Set<string>>} wanted */
  async #readWanted(wanted) {
    const masters = wanted.get('bridge') ?? new Set();
    const many = masters.size > manyKeys || masters.has('*');
    const templates = wanted.get('renderer') ?? new Set();
    await Promise.all([
      this.#readHealth(),
      many ? this.#readMasters() : Promise.all([...masters].map((name) => this.#readMaster(name))),
      ...[...templates].map((name) => this.#readTemplate(name)),
      wanted.has('cluster') ? this.#readClusters() : undefined,
      wanted.has('registrar') ? this.#readInstances() : undefined,
    ]);
  }

  #pollNow() {
    clearTimeout(this.#nextPoll);
    if (!this.#polling) void this.#poll();
  }

  async #poll() {
    this.#polling = true;
    const old = this.world.link.kind !== 'live';
    await this.#answering(async () => {
      if (old || this.#polls % 3 === 0) await this.#readAll();
      else
        await Promise.all([
          this.#readHealth(),
          this.world.masters.size < manyMasters ? this.#readMasters() : undefined,
        ]);
      this.#polls += 1;
      if (!this.#stream.isOpen) this.#connect();
    });
    this.#polling = false;
    this.#nextPoll = setTimeout(() => this.#pollNow(), pollMs[this.world.link.kind === 'live' ? 'live' : 'old']);
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
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      this.#become({ link: { kind: 'old', sinceMs: this.#lastAnswerMs, why } });
      if (!this.#polling && this.#lastAnswerMs > 0) this.#pollNow();
    }
  }

  async #readAll() {
    this.#become({ node: await ask('/v1/node', { onDate: setClock }) });
    if (this.world.guide.size === 0) this.#become({ guide: await readGuide() });
    await Promise.all([
      this.#readHealth(),
      this.#readMasters(),
      this.#readTemplates(),
      this.#readClusters(),
      this.#readInstances(),
      this.#readHistory(),
    ]);
  }

  async #readMasters() {
    /** @type {{ masters: Master[] }} */
    const { masters } = await ask('/v1/masters');
    this.#become({ masters: byName(keepUnchanged(masters, this.world.masters, visibleState)) });
  }

  /** @param {string} name */
  async #readMaster(name) {
    /** @type {Master | undefined} */
    const master = await ask(`/v1/masters/${pathOf(name)}`, { absent: 'undefined' });
    const masters = new Map(this.world.masters);
    const isNew = !masters.has(name);
    if (master === undefined) masters.delete(name);
    else for (const one of keepUnchanged([master], this.world.masters, visibleState)) masters.set(name, one);
    this.#become({ masters: isNew ? byName([...masters.values()]) : masters });
  }

  async #readTemplates() {
    /** @type {{ templates: Template[] }} */
    const { templates } = await ask('/v1/templates');
    const before = this.world.templates;
    // The text and the digest that approves it come in one answer: the next one.
    const kept = (/** @type {Template} */ one) => (one.access === 'token' ? one : (before.get(one.name) ?? one));
    this.#become({ templates: new Map(templates.map((one) => [one.name, kept(one)])) });
    const open = templates.filter(({ access }) => access === 'open');
    await Promise.all(open.map(({ name }) => this.#readTemplate(name)));
  }

  /** @param {string} name */
  async #readTemplate(name) {
    // The answer would be refused; the list has its state.
    if (this.world.templates.get(name)?.access === 'token') return this.#readTemplates();
    /** @type {TemplateText | undefined} */
    const template = await ask(`/v1/templates/${pathOf(name)}`, { absent: 'undefined' });
    const templates = new Map(this.world.templates);
    if (template === undefined) templates.delete(name);
    else templates.set(name, template);
    this.#become({ templates });
  }

  async #readClusters() {
    /** @type {{ clusters: Cluster[] }} */
    const { clusters } = await ask('/v1/clusters');
    this.#become({ clusters: byName(clusters) });
  }

  async #readHealth() {
    this.#become({ health: indexHealth(await ask('/v1/health'), this.world.health) });
  }

  async #readInstances() {
    /** @type {{ instances: World['instances'] }} */
    const { instances } = await ask('/v1/instances');
    this.#become({ instances });
  }

  async #readHistory() {
    /** @type {{ entries: Entry[] }} */
    const { entries } = await ask(`/v1/history?limit=${maxEntries}`);
    this.#takeEntries(entries);
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
