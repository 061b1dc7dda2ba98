/**
 * Keeps the world as the server tells it. The event stream says what changed, and only that is asked for again; a poll
 * finds what makes no event (a Sentinel that went away) and notices when nobody answers, which the stream alone may not:
 * a connection can die in silence. What is heard goes into the world; a view never asks the server itself.
 *
 * @import { Cluster, Entry, Master, Template, TemplateText, World } from './api.d.ts'
 */
import { setClock } from './clock.js';
import { indexHealth, unknownHealth } from './health.js';
import { ask } from './server.js';

const maxEntries = 600;
/** Changes that come together are asked for together. */
const gatherMs = 40;
/** More than this at once, and the whole list is one request instead. */
const manyKeys = 8;
/** How often somebody is asked whether he is there; how often where nobody was. */
const pollMs = { live: 4_000, old: 1_000 };
/** From this many masters on, their list is not asked for with every poll. */
const manyMasters = 30;
/** A stream that ends so soon after it was opened is refused rather than lost. */
const refusedMs = 5_000;
/** Loops whose keys are masters. */
const aboutMasters = new Set(['bridge', 'fence', 'failover', 'rebase']);
const kinds = ['applied', 'fenced', 'held', 'failed'];

export class Feed {
  /** @type {World} */
  world = {
    masters: new Map(),
    templates: new Map(),
    clusters: new Map(),
    instances: [],
    entries: [],
    health: unknownHealth,
    version: '',
    link: { kind: 'connecting' },
    filter: '',
  };
  /** @type {(world: World, fresh: readonly Entry[]) => void} */
  #onChange;
  /** @type {EventSource | undefined} */
  #stream;
  #lastId = 0;
  #heardMs = 0;
  /** @type {Map<string, Set<string>>} */
  #wanted = new Map();
  /** @type {number | undefined} */
  #gathering;
  /** @type {number | undefined} */
  #nextPoll;
  #polling = false;
  #polls = 0;
  #connectedMs = 0;

  /** @param {(world: World, fresh: readonly Entry[]) => void} onChange Told the new entries, oldest first. */
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
   * Something was ordered of it: how it is now is asked for.
   * @param {'approve' | 'render' | 'failover' | 'rebase'} order
   * @param {string} name
   */
  want(order, name) {
    this.#want(order === 'approve' || order === 'render' ? 'renderer' : 'bridge', name);
  }

  #connect() {
    this.#stream?.close();
    const from = this.#lastId === 0 ? '' : `?lastEventId=${this.#lastId}`;
    const stream = new EventSource(`/v1/events${from}`);
    this.#stream = stream;
    this.#connectedMs = Date.now();
    for (const kind of kinds) stream.addEventListener(kind, (event) => this.#heard(event));
    stream.addEventListener('gap', () => void this.#readHistory());
    // Whether anybody is there is found out at once, but not over and over where the stream alone is refused.
    stream.onerror = () => {
      if (Date.now() - this.#connectedMs > refusedMs) this.#pollNow();
    };
  }

  /** @param {MessageEvent} event */
  #heard(event) {
    /** @type {Entry} */
    const entry = JSON.parse(event.data);
    this.#heardMs = Date.now();
    this.#takeEntries([entry]);
    this.#want(aboutMasters.has(entry.loop) ? 'bridge' : entry.loop, entry.key);
  }

  /** @param {readonly Entry[]} told */
  #takeEntries(told) {
    const known = new Set(this.world.entries.map(({ id }) => id));
    const fresh = told.filter(({ id }) => !known.has(id));
    if (fresh.length === 0) return;
    const entries = [...fresh, ...this.world.entries].sort((a, b) => b.id - a.id).slice(0, maxEntries);
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
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      const wanted = this.#wanted;
      this.#wanted = new Map();
      this.#answering(() => this.#readWanted(wanted));
    }, gatherMs);
  }

  /** @param {Map<string, Set<string>>} wanted */
  async #readWanted(wanted) {
    const masters = wanted.get('bridge') ?? new Set();
    const templates = wanted.get('renderer') ?? new Set();
    await Promise.all([
      this.#readHealth(),
      masters.size > manyKeys ? this.#readMasters() : Promise.all([...masters].map((name) => this.#readMaster(name))),
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
      if (this.#stream?.readyState !== EventSource.OPEN) this.#connect();
    });
    this.#polling = false;
    this.#nextPoll = setTimeout(() => this.#pollNow(), pollMs[this.world.link.kind === 'live' ? 'live' : 'old']);
  }

  /**
   * Asks, and takes from the answer whether anybody is there.
   * @param {() => Promise<void>} asking
   */
  async #answering(asking) {
    try {
      await asking();
      this.#heardMs = Date.now();
      if (this.world.link.kind !== 'live') this.#become({ link: { kind: 'live' } });
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      if (this.#heardMs === 0) return this.#become({ link: { kind: 'old', sinceMs: 0, why } });
      this.#become({ link: { kind: 'old', sinceMs: this.#heardMs, why } });
      if (!this.#polling) this.#pollNow();
    }
  }

  async #readAll() {
    const live = await ask('/live', { onDate: setClock });
    this.#become({ version: String(live.version) });
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
    this.#become({ masters: byName(masters) });
  }

  /** @param {string} name */
  async #readMaster(name) {
    /** @type {Master | undefined} */
    const master = await ask(`/v1/masters/${encodeURIComponent(name)}`, { absent: 'undefined' });
    const masters = new Map(this.world.masters);
    if (master === undefined) masters.delete(name);
    else masters.set(name, master);
    this.#become({ masters: byName([...masters.values()]) });
  }

  async #readTemplates() {
    /** @type {{ templates: Template[] }} */
    const { templates } = await ask('/v1/templates');
    const before = this.world.templates;
    // A text and the digest by which it is approved come in one answer, the next one.
    const kept = (/** @type {Template} */ one) => (one.access === 'token' ? one : (before.get(one.name) ?? one));
    this.#become({ templates: new Map(templates.map((one) => [one.name, kept(one)])) });
    const open = templates.filter(({ access }) => access === 'open');
    await Promise.all(open.map(({ name }) => this.#readTemplate(name)));
  }

  /** @param {string} name */
  async #readTemplate(name) {
    // Its text is refused; the list has its state.
    if (this.world.templates.get(name)?.access === 'token') return this.#readTemplates();
    /** @type {TemplateText | undefined} */
    const template = await ask(`/v1/templates/${encodeURIComponent(name)}`, { absent: 'undefined' });
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
    this.#become({ health: indexHealth(await ask('/v1/health')) });
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

/**
 * @template {{ name: string }} T
 * @param {readonly T[]} items
 * @returns {Map<string, T>}
 */
function byName(items) {
  return new Map(items.toSorted((a, b) => collator.compare(a.name, b.name)).map((item) => [item.name, item]));
}

/** shard2 before shard10. */
const collator = new Intl.Collator('en', { numeric: true });
