/**
 * The topology as a picture. A server keeps its box, so that a failover shows as one server that moves to the place of
 * another.
 *
 * @import { World } from './api.d.ts'
 * @import { Box, Layout, Line } from './layout.js'
 */
import { arrange, byId, s, say } from './dom.js';
import { signs } from './health.js';
import { layOut } from './layout.js';
import { LongList } from './long-list.js';
import { showRoster } from './roster.js';

export class Picture {
  #width = 0;
  /** Names that somebody wants to see drawn. @type {Set<string>} */
  #picked = new Set();
  /** @type {() => void} */
  #onChange;
  /** @type {LongList<import('./roster.js').Tile>} */
  #roster = new LongList(byId('picture-roster'), () => this.#showRoster());
  /** What is drawn, and of which state. @type {{ world: World, drawn: ReadonlySet<string> } | undefined} */
  #shown;
  #svg = s('svg', { role: 'img', class: 'picture', 'aria-labelledby': 'picture-title picture-words' });
  #words = s('desc', { id: 'picture-words' });
  #lines = s('g', { class: 'edges' });
  #boxes = s('g', { class: 'boxes' });

  /**
   * @param {HTMLElement} canvas
   * @param {() => void} onChange Called to draw it again: its width changed, or the user picked what to draw.
   */
  constructor(canvas, onChange) {
    this.#onChange = onChange;
    this.#svg.append(this.#words, this.#lines, this.#boxes);
    canvas.append(this.#svg);
    new ResizeObserver(() => {
      if (this.#measure() !== this.#width) onChange();
    }).observe(canvas);
  }

  /** @param {World} world */
  show(world) {
    byId('picture').hidden = world.masters.size === 0;
    this.#width = this.#measure();
    if (this.#width === 0) return;
    const layout = layOut(world, { width: this.#width, picked: this.#picked });
    const { width, height } = { width: this.#width, height: layout.height + 2 };
    this.#svg.setAttribute('viewBox', `-1 -1 ${width + 2} ${height}`);
    this.#svg.setAttribute('width', String(width));
    this.#svg.setAttribute('height', String(height));
    say(this.#words, layout.described);
    this.#showBoxes(layout);
    this.#showLines(layout);
    this.#shown = { world, drawn: layout.drawn };
    this.#showRoster();
  }

  #showRoster() {
    if (this.#shown === undefined) return;
    const { world, drawn } = this.#shown;
    showRoster(world, {
      drawn,
      picked: this.#picked,
      list: this.#roster,
      onPick: (name) => {
        if (!this.#picked.delete(name)) this.#picked.add(name);
        this.#onChange();
      },
    });
  }

  /** The style sheet gives it the whole of its frame, whatever its attributes say. */
  #measure() {
    return Math.floor(this.#svg.getBoundingClientRect().width);
  }

  /** @param {Layout} layout */
  #showBoxes({ boxes }) {
    const nodes = arrange(this.#boxes, boxes, { key: ({ id }) => id, build: buildBox });
    for (const [index, node] of nodes.entries())
      updateBox(/** @type {SVGElement} */ (node), /** @type {Box} */ (boxes[index]));
  }

  /** @param {Layout} layout */
  #showLines({ boxes, lines }) {
    const at = new Map(boxes.map((box) => [box.id, box]));
    const drawn = lines.flatMap((line) => {
      const [from, to] = [at.get(line.from), at.get(line.to)];
      return from === undefined || to === undefined
        ? []
        : [{ line, path: line.kind === 'replicates' || line.kind === 'broken' ? elbow(from, to) : curve(from, to) }];
    });
    const nodes = arrange(this.#lines, drawn, { key: ({ line }) => line.id, build: () => s('path', {}) });
    for (const [index, node] of nodes.entries()) {
      const { line, path } = /** @type {{ line: Line, path: string }} */ (drawn[index]);
      node.setAttribute('class', `edge ${line.kind}`);
      node.setAttribute('d', path);
    }
  }
}

/** @param {Box} box */
function buildBox({ kind }) {
  if (kind === 'title')
    return s(
      'g',
      { class: 'box' },
      s('text', { class: 'sign', y: 13 }),
      s('text', { class: 'title', x: 16, y: 13 }),
      s('text', { class: 'note', y: 13, 'text-anchor': 'end' }),
    );
  return s(
    'g',
    { class: 'box' },
    s('rect', { rx: 7 }),
    s('text', { class: 'sign', 'text-anchor': 'end' }),
    s('text', { class: 'title', x: 12 }),
    s('text', { class: 'note' }),
  );
}

/**
 * @param {SVGElement} node
 * @param {Box} box
 */
function updateBox(node, { kind, x, y, width, height, level, title, note }) {
  node.dataset.kind = kind;
  node.dataset.level = level;
  node.style.transform = `translate(${x}px, ${y}px)`;
  const [sign, name, noted] = /** @type {SVGTextElement[]} */ ([...node.querySelectorAll('text')]);
  if (sign === undefined || name === undefined || noted === undefined) return;
  const rect = node.querySelector('rect');
  rect?.setAttribute('width', String(width));
  rect?.setAttribute('height', String(height));
  const single = kind === 'replica' || kind === 'title';
  const noteWidth = single ? note.length * 6.2 + 14 : 0;
  say(sign, kind === 'title' || level !== 'well' ? (signs[/** @type {keyof typeof signs} */ (level)] ?? '') : '');
  say(noted, single ? note : fit(note, width - 24, 6.4));
  say(name, fit(title, width - (kind === 'title' ? 20 : 36) - noteWidth, kind === 'master' ? 8.5 : 7.5));
  if (kind === 'title') return noted.setAttribute('x', String(width));
  const middle = height / 2 + 4;
  name.setAttribute('y', String(single ? middle : height / 2 - 3));
  noted.setAttribute('y', String(single ? middle : height / 2 + 13));
  noted.setAttribute('x', String(single ? width - (level === 'well' ? 12 : 26) : 12));
  noted.setAttribute('text-anchor', single ? 'end' : 'start');
  sign.setAttribute('x', String(width - 10));
  sign.setAttribute('y', String(single ? middle : height / 2 - 3));
}

/**
 * A text that is too long loses its middle, because the ends distinguish names.
 * @param {string} text
 * @param {number} width
 * @param {number} each
 */
function fit(text, width, each) {
  const most = Math.max(6, Math.floor(width / each));
  if (text.length <= most) return text;
  const half = Math.floor((most - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(text.length - half)}`;
}

/**
 * @param {Box} from
 * @param {Box} to
 */
function curve(from, to) {
  const [x1, y1, x2, y2] = [from.x + from.width, from.y + from.height / 2, to.x, to.y + to.height / 2];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

/**
 * @param {Box} from
 * @param {Box} to
 */
function elbow(from, to) {
  const [x, y] = [from.x + 10, to.y + to.height / 2];
  return `M${x} ${from.y + from.height}V${y - 6}Q${x} ${y} ${x + 6} ${y}H${to.x}`;
}
