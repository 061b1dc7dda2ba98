/**
 * A long list of which only the beginning is built. When the reader scrolls to the end of what is built, more is built.
 */
import { h } from './dom.js';

/** So many items are built at a time. */
const step = 120;

export class GrowingList {
  #limit = step;
  #end = h('li', { class: 'end-of-list', 'aria-hidden': 'true' });
  #observer;

  /** @param {() => void} onGrow Called to build the list again, with more items. */
  constructor(onGrow) {
    this.#observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      this.#limit += step;
      onGrow();
    });
  }

  /**
   * The items to build in this list now.
   * @template T
   * @param {Element} list
   * @param {readonly T[]} items
   * @returns {readonly T[]}
   */
  grow(list, items) {
    // Observed again each time: an observer reports only a change.
    this.#observer.unobserve(this.#end);
    if (items.length <= this.#limit) this.#end.remove();
    else {
      list.append(this.#end);
      this.#observer.observe(this.#end);
    }
    return items.slice(0, this.#limit);
  }
}
