/**
 * Every master. A few masters keep their places; of many, those with problems come first.
 *
 * @import { World } from './api.d.ts'
 * @import { Shown } from './master-state.js'
 * @import { Orders } from './orders.js'
 */
import { arrange, byId, h, say } from './dom.js';
import { GrowingList } from './growing-list.js';
import { worstFirst } from './health.js';
import { buildCard } from './master-card.js';
import { signatureOf, toShown } from './master-state.js';

/** With this many masters or more, healthy ones get a line each. */
const manyMasters = 17;

export class Masters {
  #orders;
  /** @type {World | undefined} */
  #world;
  /** Names whose details are open. @type {Set<string>} */
  #open = new Set();
  /** @type {Map<string, GrowingList>} */
  #lists = new Map();

  /** @param {Orders} orders */
  constructor(orders) {
    this.#orders = orders;
  }

  /** @param {World} world */
  show(world) {
    this.#world = world;
    const { masters, filter } = world;
    const wanted = [...masters.values()].filter(({ name }) => name.toLowerCase().includes(filter));
    showNone(world, wanted.length);
    this.#showGroups(group(wanted.map((master) => toShown(master, world))));
  }

  /** @param {readonly Group[]} groups */
  #showGroups(groups) {
    const parts = arrange(byId('masters-groups'), groups, {
      key: ({ id }) => id,
      build: ({ title }) => h('div', { class: 'group' }, title === '' ? null : groupTitle(title), h('ul', {})),
    });
    for (const [index, { id, members }] of groups.entries()) {
      const list = /** @type {HTMLElement} */ (parts[index]?.querySelector('ul'));
      const density = id === 'well' ? 'lines' : 'cards';
      list.className = density;
      const count = parts[index]?.querySelector('.count');
      if (count != null) say(count, String(members.length));
      const built = this.#listOf(id).grow(list, members);
      arrange(list, built, {
        key: ({ master }) => master.name,
        signature: (one) => `${this.#open.has(one.master.name)} ${signatureOf(one)}`,
        build: (one) => this.#build(one, density),
      });
    }
  }

  /** @param {string} id */
  #listOf(id) {
    const list = this.#lists.get(id) ?? new GrowingList(() => this.#showAgain());
    this.#lists.set(id, list);
    return list;
  }

  /**
   * @param {Shown} shown
   * @param {'cards' | 'lines'} density
   */
  #build(shown, density) {
    const { name } = shown.master;
    const onToggle = () => {
      if (!this.#open.delete(name)) this.#open.add(name);
      this.#showAgain();
    };
    return buildCard(shown, { density, isOpen: this.#open.has(name), orders: this.#orders, onToggle });
  }

  #showAgain() {
    if (this.#world !== undefined) this.show(this.#world);
  }
}

/** @typedef {{ id: string, title: string, members: readonly Shown[] }} Group */

/**
 * @param {readonly Shown[]} shown
 * @returns {readonly Group[]}
 */
function group(shown) {
  const well = shown.filter(({ level }) => level === 'well');
  const unwell = shown
    .filter(({ level }) => level !== 'well')
    .sort((a, b) => worstFirst.indexOf(a.level) - worstFirst.indexOf(b.level));
  const groups =
    shown.length < manyMasters
      ? [{ id: 'all', title: '', members: shown }]
      : [
          { id: 'unwell', title: 'Not well', members: unwell },
          { id: 'well', title: 'Well', members: well },
        ];
  return groups.filter(({ members }) => members.length > 0);
}

/** @param {string} title */
function groupTitle(title) {
  return h('h3', {}, title, ' ', h('span', { class: 'count' }));
}

/**
 * @param {World} world
 * @param {number} count
 */
function showNone({ masters, filter, node }, count) {
  const none = byId('masters-none');
  none.hidden = count > 0 || node === undefined;
  say(none, masters.size === 0 ? 'This node follows none.' : `None of the ${masters.size} is called like “${filter}”.`);
}
