/**
 * Every master. A few masters keep their places; of many, those with problems come first.
 *
 * @import { World } from './api.d.ts'
 * @import { Shown } from './master-state.js'
 * @import { Orders } from './orders.js'
 */
import { arrange, byId, h, placeOf, say } from './dom.js';
import { worstFirst } from './health.js';
import { LongList } from './long-list.js';
import { buildCard } from './master-card.js';
import { signatureOf, toShown } from './master-state.js';

/** With this many masters or more, healthy ones get a line each. */
const manyMasters = 17;
/** With more than this many problems, they get a line each too. */
const manyCards = 24;

/** @typedef {{ key: string, isOpen: boolean, shown: Shown }} Item */

export class Masters {
  #orders;
  /** @type {World | undefined} */
  #world;
  /** Names whose details are open. @type {Set<string>} */
  #open = new Set();
  /** @type {Map<Element, LongList<Item>>} */
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

  /**
   * Scrolls so that the card with this id is built.
   * @param {string} id
   */
  reveal(id) {
    const name = [...(this.#world?.masters.keys() ?? [])].find((each) => placeOf('master', each) === id);
    if (name !== undefined) for (const list of this.#lists.values()) list.reveal(name);
  }

  /** @param {readonly Group[]} groups */
  #showGroups(groups) {
    const parts = arrange(byId('masters-groups'), groups, {
      key: ({ id }) => id,
      build: ({ title }) => h('div', { class: 'group' }, title === '' ? null : groupTitle(title), h('ul', {})),
    });
    for (const [index, { density, members }] of groups.entries()) {
      const list = /** @type {HTMLElement} */ (parts[index]?.querySelector('ul'));
      list.className = density;
      const count = parts[index]?.querySelector('.count');
      if (count != null) say(count, String(members.length));
      const items = members.map((shown) => ({
        key: shown.master.name,
        isOpen: this.#open.has(shown.master.name),
        shown,
      }));
      this.#listIn(list).show(items, {
        signature: ({ isOpen, shown }) => `${density} ${isOpen} ${signatureOf(shown)}`,
        build: ({ shown }) => this.#build(shown, density),
      });
    }
    const shown = new Set(parts.map((part) => part.querySelector('ul')));
    for (const list of this.#lists.keys())
      if (!shown.has(/** @type {HTMLUListElement} */ (list))) this.#lists.delete(list);
  }

  /** @param {HTMLElement} element */
  #listIn(element) {
    const list = this.#lists.get(element) ?? new LongList(element, () => this.#showAgain());
    this.#lists.set(element, list);
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

/** @typedef {{ id: string, title: string, density: 'cards' | 'lines', members: readonly Shown[] }} Group */

/**
 * @param {readonly Shown[]} shown
 * @returns {readonly Group[]}
 */
function group(shown) {
  const well = shown.filter(({ level }) => level === 'well');
  const unwell = shown
    .filter(({ level }) => level !== 'well')
    .sort((a, b) => worstFirst.indexOf(a.level) - worstFirst.indexOf(b.level));
  /** @type {readonly Group[]} */
  const groups =
    shown.length < manyMasters
      ? [{ id: 'all', title: '', density: 'cards', members: shown }]
      : [
          { id: 'unwell', title: 'Not well', density: unwell.length > manyCards ? 'lines' : 'cards', members: unwell },
          { id: 'well', title: 'Well', density: 'lines', members: well },
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
