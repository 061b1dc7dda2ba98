/**
 * Requests the state from the server, share by share. Each answer is a change of the world.
 *
 * @import { Cluster, Entry, Master, Template, TemplateText, World } from './api.d.ts'
 *
 * What to read of things with names: all of them, or these. @typedef {'all' | ReadonlySet<string>} Names
 *
 * What to read. @typedef {object} Share
 * @property {Names} masters
 * @property {Names} templates
 * @property {boolean} clusters
 * @property {boolean} instances
 * @property {boolean} rest The node, what the codes mean, and the journal.
 */
import { setClock } from './clock.js';
import { indexHealth } from './health.js';
import { visibleState } from './master-state.js';
import { ask, pathOf, readGuide } from './server.js';
import { byName, keepUnchanged } from './world.js';

/** Entries of the journal that the page knows at most. */
export const maxEntries = 600;
/** For more changed masters than this, the page requests the whole list. */
const manyNames = 8;

export class Readings {
  #options;

  /**
   * @param {{ world: () => World, become: (change: Partial<World>) => void, onEntries: (entries: readonly Entry[]) => void }} options
   */
  constructor(options) {
    this.#options = options;
  }

  /** @param {Share} share */
  async read({ masters, templates, clusters, instances, rest }) {
    if (rest) await this.#readNode();
    await Promise.all([
      this.#readHealth(),
      this.#readMasters(masters),
      this.#readTemplates(templates),
      clusters ? this.#readClusters() : undefined,
      instances ? this.#readInstances() : undefined,
      rest ? this.readHistory() : undefined,
    ]);
  }

  async readHistory() {
    /** @type {{ entries: Entry[] }} */
    const { entries } = await ask(`/v1/history?limit=${maxEntries}`);
    this.#options.onEntries(entries);
  }

  async #readNode() {
    this.#become({ node: await ask('/v1/node', { onDate: setClock }) });
    if (this.#world.guide.size === 0) this.#become({ guide: await readGuide() });
  }

  async #readHealth() {
    this.#become({ health: indexHealth(await ask('/v1/health'), this.#world.health) });
  }

  /** @param {Names} names */
  async #readMasters(names) {
    if (names === 'all' || names.size > manyNames || names.has('*')) return this.#readAllMasters();
    await Promise.all([...names].map((name) => this.#readMaster(name)));
  }

  async #readAllMasters() {
    /** @type {{ masters: Master[] }} */
    const { masters } = await ask('/v1/masters');
    this.#become({ masters: byName(keepUnchanged(masters, this.#world.masters, visibleState)) });
  }

  /** @param {string} name */
  async #readMaster(name) {
    /** @type {Master | undefined} */
    const master = await ask(`/v1/masters/${pathOf(name)}`, { absent: 'undefined' });
    const masters = new Map(this.#world.masters);
    const isNew = !masters.has(name);
    if (master === undefined) masters.delete(name);
    else for (const one of keepUnchanged([master], this.#world.masters, visibleState)) masters.set(name, one);
    this.#become({ masters: isNew ? byName([...masters.values()]) : masters });
  }

  /** @param {Names} names */
  async #readTemplates(names) {
    if (names === 'all') return this.#readAllTemplates();
    const known = this.#world.templates;
    // The text of one that needs the token would be refused: the list has its state.
    if ([...names].some((name) => known.get(name)?.access === 'token')) return this.#readAllTemplates();
    await Promise.all([...names].map((name) => this.#readTemplate(name)));
  }

  async #readAllTemplates() {
    /** @type {{ templates: Template[] }} */
    const { templates } = await ask('/v1/templates');
    const before = this.#world.templates;
    // The text and the digest that approves it come in one answer: the next one.
    const kept = (/** @type {Template} */ one) => (one.access === 'token' ? one : (before.get(one.name) ?? one));
    this.#become({ templates: new Map(templates.map((one) => [one.name, kept(one)])) });
    const open = templates.filter(({ access }) => access === 'open');
    await Promise.all(open.map(({ name }) => this.#readTemplate(name)));
  }

  /** @param {string} name */
  async #readTemplate(name) {
    /** @type {TemplateText | undefined} */
    const template = await ask(`/v1/templates/${pathOf(name)}`, { absent: 'undefined' });
    const templates = new Map(this.#world.templates);
    if (template === undefined) templates.delete(name);
    else templates.set(name, template);
    this.#become({ templates });
  }

  async #readClusters() {
    /** @type {{ clusters: Cluster[] }} */
    const { clusters } = await ask('/v1/clusters');
    this.#become({ clusters: byName(clusters) });
  }

  async #readInstances() {
    /** @type {{ instances: World['instances'] }} */
    const { instances } = await ask('/v1/instances');
    this.#become({ instances });
  }

  get #world() {
    return this.#options.world();
  }

  /** @param {Partial<World>} change */
  #become(change) {
    this.#options.become(change);
  }
}
