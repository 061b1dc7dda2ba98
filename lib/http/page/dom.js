/**
 * Builds what is shown. Values become text nodes or attributes, never markup.
 *
 * @typedef {string | number | Node | null | undefined | false} Child
 * @typedef {{ [name: string]: string | number | boolean | null | undefined }} Attributes
 * @typedef {{ on?: Record<string, (event: Event) => void>, vars?: Record<string, string> }} Extras
 */

const svgNamespace = 'http://www.w3.org/2000/svg';

/**
 * An element. An attribute that is true is there without a value, one that is false, null or undefined is not there.
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {...(Child | readonly Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children.flat());
  return element;
}

/**
 * An element of a picture.
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {...(Child | readonly Child[])} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(svgNamespace, tag));
  fill(element, attributes, children.flat());
  return element;
}

/**
 * The element with this id, which the page's own HTML has.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * The id of what a name stands for on this page: a link's fragment finds it as it is.
 * @param {'master' | 'template' | 'cluster' | 'instance'} kind
 * @param {string} name
 */
export function placeOf(kind, name) {
  return `${kind}-${encodeURIComponent(name.toWellFormed())}`;
}

/**
 * Custom properties: the page passes numbers to the style sheet only by these.
 * @template {HTMLElement | SVGElement} E
 * @param {E} element
 * @param {Record<string, string>} vars
 * @returns {E}
 */
export function withVars(element, vars) {
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
  return element;
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {string} event
 * @param {(event: Event) => void} listener
 * @returns {E}
 */
export function on(element, event, listener) {
  element.addEventListener(event, listener);
  return element;
}

/** @type {WeakMap<Element, Map<string, { node: Element, signature: string }>>} */
const shown = new WeakMap();

/**
 * Makes a parent's children those of `items`, in their order. What has the same signature as before is left alone, so
 * that a change of one of a hundred costs one; focus survives where the new element has the same `data-focus`.
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, signature?: (item: T) => string, build: (item: T) => Element }} by Without a
 *   signature what was built once stays.
 * @returns {Element[]} In the order of the items.
 */
export function arrange(parent, items, { key, signature = () => '', build }) {
  const before = shown.get(parent) ?? new Map();
  /** @type {Map<string, { node: Element, signature: string }>} */
  const after = new Map();
  for (const item of items) {
    const id = key(item);
    const wanted = signature(item);
    const known = before.get(id);
    if (known?.signature === wanted) after.set(id, known);
    else after.set(id, { node: replaced(known?.node, build(item)), signature: wanted });
  }
  for (const [id, { node }] of before) if (!after.has(id)) node.remove();
  shown.set(parent, after);
  let place = parent.firstElementChild;
  for (const { node } of after.values()) {
    if (place === node) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  return [...after.values()].map(({ node }) => node);
}

/**
 * @param {Element | undefined} old
 * @param {Element} fresh
 */
function replaced(old, fresh) {
  if (old === undefined) return fresh;
  const focus = old.contains(document.activeElement) ? document.activeElement?.getAttribute('data-focus') : undefined;
  old.replaceWith(fresh);
  if (focus != null) {
    const again = fresh.querySelector(`[data-focus="${CSS.escape(focus)}"]`);
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }
  return fresh;
}

/** Control characters, and those that are invisible or reorder the text around them; not those that join emoji or letters. */
const deceptive = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A text in which nothing hides: an operator must see what differs before approving it.
 * @param {string} text
 */
export function visible(text) {
  return text.replace(deceptive, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/**
 * Sets text only if it differs: a screen reader reads a live region again each time that it is set.
 * @param {Element} element
 * @param {string} shown
 */
export function say(element, shown) {
  const text = visible(shown);
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : visible(String(child)));
  }
}
