/**
 * A long list that scrolls, of which only the rows in view and some around them are built: a thousand masters cost as much
 * as fifty. All items have one height, but for those that are open.
 *
 * @typedef {{ key: string, isOpen: boolean }} Item
 * @typedef {{ kind: 'gap', px: number, index: number }} Gap
 */
import { arrange, h, withVars } from './dom.js';
import { piecesIn, topOf, toRows } from './list-rows.js';

/** With fewer items, all of them are built. */
const fewItems = 120;
/** So much above and below the view is built too: the keyboard moves to what is built, and scrolling shows no gap. */
const aroundPx = 500;
/** Before the first row is measured. */
const assumed = { rowPx: 36, openPx: 320, viewPx: 800 };

/**
 * @template T
 * @typedef {import('./list-rows.js').Row<T>} Row
 */

/**
 * @template T
 * @typedef {{ kind: 'item', item: T, position: number } | Gap} Part
 */

/** @template {Item} T */
export class LongList {
  #list;
  #onScroll;
  #rowPx = assumed.rowPx;
  #viewPx = assumed.viewPx;
  #scrolledPx = 0;
  #columns = 1;
  /** Heights of open items. @type {Map<string, number>} */
  #openPx = new Map();
  /** @type {readonly T[]} */
  #items = [];
  #isDue = false;

  /**
   * @param {HTMLElement} list
   * @param {() => void} onScroll Called in a frame to show the list again.
   */
  constructor(list, onScroll) {
    this.#list = list;
    this.#onScroll = onScroll;
    list.addEventListener('scroll', () => this.#showSoon(), { passive: true });
    new ResizeObserver(() => this.#showSoon()).observe(list);
  }

  /**
   * @param {readonly T[]} items
   * @param {{ signature: (item: T) => string, build: (item: T) => HTMLElement }} by
   */
  show(items, { signature, build }) {
    this.#items = items;
    const parts = this.#parts();
    const nodes = arrange(this.#list, parts, {
      key: (part) => (part.kind === 'gap' ? `gap ${part.index}` : `item ${part.item.key}`),
      signature: (part) => (part.kind === 'gap' ? String(part.px) : signature(part.item)),
      build: (part) => (part.kind === 'gap' ? buildGap(part.px) : build(part.item)),
    });
    for (const [index, part] of parts.entries()) {
      if (part.kind !== 'item') continue;
      // A screen reader counts all of them.
      setAttribute(nodes[index], 'aria-setsize', items.length);
      setAttribute(nodes[index], 'aria-posinset', part.position);
    }
  }

  /**
   * Scrolls so that an item is in view.
   * @param {string} key
   */
  reveal(key) {
    this.#measure();
    const rows = this.#rows();
    const isWanted = (/** @type {Row<T>} */ row) => row.items.some((item) => item.key === key);
    const topPx = topOf(rows, { isWanted, heightOf: (row) => this.#heightOf(row) });
    if (topPx === undefined || this.#items.length <= fewItems) return;
    this.#list.scrollTop = topPx - this.#viewPx / 3;
    this.#measure();
    this.#onScroll();
  }

  #showSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#measure();
      this.#onScroll();
    });
  }

  #measure() {
    this.#viewPx = this.#list.clientHeight || assumed.viewPx;
    this.#scrolledPx = this.#list.scrollTop;
    const { gridTemplateColumns, rowGap } = getComputedStyle(this.#list);
    this.#columns = gridTemplateColumns.split(' ').length;
    const gapPx = Number.parseFloat(rowGap) || 0;
    for (const node of this.#list.children) {
      if (!(node instanceof HTMLElement) || node.dataset.name === undefined) continue;
      const heightPx = node.offsetHeight + gapPx;
      if (node.classList.contains('open')) this.#openPx.set(node.dataset.name, heightPx);
      else this.#rowPx = heightPx;
    }
  }

  /** @returns {readonly Part<T>[]} */
  #parts() {
    if (this.#items.length <= fewItems)
      return this.#items.map((item, index) => ({ kind: 'item', item, position: index + 1 }));
    const fromPx = this.#scrolledPx - aroundPx;
    const toPx = this.#scrolledPx + this.#viewPx + aroundPx;
    const focused = this.#focused();
    const isKept = (/** @type {Row<T>} */ { items }) => items.some(({ key }) => key === focused);
    const places = new Map(this.#items.map((item, index) => [item, index + 1]));
    const pieces = piecesIn(this.#rows(), { fromPx, toPx, isKept, heightOf: (row) => this.#heightOf(row) });
    /** @type {Part<T>[]} */
    const parts = [];
    for (const piece of pieces) {
      if (piece.kind === 'gap') parts.push(piece);
      else for (const item of piece.row.items) parts.push({ kind: 'item', item, position: places.get(item) ?? 0 });
    }
    return parts;
  }

  #rows() {
    return toRows(this.#items, { columns: this.#columns, isWide: ({ isOpen }) => isOpen });
  }

  /** @param {Row<T>} row */
  #heightOf({ items: [first], isWide }) {
    return isWide ? (this.#openPx.get(first?.key ?? '') ?? assumed.openPx) : this.#rowPx;
  }

  /** Who has the focus keeps it when the list scrolls. */
  #focused() {
    const item = document.activeElement?.closest('[data-name]');
    return item instanceof HTMLElement && this.#list.contains(item) ? item.dataset.name : undefined;
  }
}

/** @param {number} px */
function buildGap(px) {
  return withVars(h('li', { class: 'gap', 'aria-hidden': 'true' }), { px: `${px}px` });
}

/**
 * @param {Element | undefined} element
 * @param {string} name
 * @param {number} value
 */
function setAttribute(element, name, value) {
  if (element?.getAttribute(name) !== String(value)) element?.setAttribute(name, String(value));
}
