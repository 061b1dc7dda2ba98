/**
 * Every template: its state, its rendered text, and the content of its file if a render is held.
 *
 * @import { Template, TemplateText, Verdict, World } from './api.d.ts'
 * @import { Orders } from './orders.js'
 *
 * @typedef {Template & Partial<TemplateText>} Shown
 */
import { ago } from './clock.js';
import { diffLines } from './diff.js';
import { arrange, byId, h, on, placeOf } from './dom.js';
import { signs, verdictOf } from './health.js';

/** More of a text is not shown. */
const maxCharacters = 200_000;
/** What the user opened or closed, by name. @type {Map<string, boolean>} */
const opened = new Map();

/**
 * @param {World} world
 * @param {Orders} orders
 */
export function showTemplates(world, orders) {
  const { templates, filter } = world;
  const all = [...templates.values()];
  const wanted = all.filter(
    ({ name, rendered }) => name.toLowerCase().includes(filter) || (rendered ?? '').toLowerCase().includes(filter),
  );
  byId('templates-none').hidden = all.length > 0;
  arrange(byId('templates-list'), wanted, {
    key: ({ name }) => name,
    signature: (template) => JSON.stringify([visibleState(template), verdictOf(world, 'template', template.name)]),
    build: (template) => build(template, { orders, verdict: verdictOf(world, 'template', template.name) }),
  });
}

/**
 * What the page shows of it. If that is unchanged, the page must not rebuild it while somebody reads it.
 * @param {Shown} template
 */
function visibleState(template) {
  const { lastOutcome, writtenAt, renderedAt } = template;
  const summary = lastOutcome === null ? null : lastOutcome.summary;
  return { ...template, stages: null, lastOutcome: summary, renderedAt: writtenAt === null ? renderedAt : null };
}

/**
 * @param {Shown} template
 * @param {{ orders: Orders, verdict: Verdict }} options
 */
function build(template, { orders, verdict: { level, reasons } }) {
  const { name, state, destination, writtenAt, renderedAt } = template;
  const details = h('details', { open: opened.get(name) ?? state === 'held' });
  const when = writtenAt ?? renderedAt;
  details.append(
    h(
      'summary',
      { 'data-focus': 'summary' },
      h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
      h('span', { class: 'text' }, name),
      h('span', { class: 'chip' }, state),
      h('span', { class: 'path' }, destination),
      when === null
        ? null
        : h('span', { class: 'quiet when' }, writtenAt === null ? 'checked ' : 'written ', ago(when), ' ago'),
    ),
    h(
      'div',
      { class: 'inside' },
      reasons.map((reason) => h('p', { class: 'reason' }, reason)),
      buttons(template, orders),
      texts(template),
      reads(template),
    ),
  );
  on(details, 'toggle', () => opened.set(name, /** @type {HTMLDetailsElement} */ (details).open));
  return h(
    'li',
    { class: 'template', 'data-level': level, 'data-name': name, 'data-state': state, id: placeOf('template', name) },
    details,
  );
}

/**
 * @param {Shown} template
 * @param {Orders} orders
 */
function buttons(template, orders) {
  const { name, state } = template;
  const approve = on(
    h('button', { type: 'button', class: 'primary', 'data-focus': 'approve' }, 'Approve this text…'),
    'click',
    () => orders.ask({ kind: 'approve', name }),
  );
  const render = on(h('button', { type: 'button', 'data-focus': 'render' }, 'Try it again…'), 'click', () =>
    orders.ask({ kind: 'render', name }),
  );
  const offered = [
    state === 'held' ? approve : null,
    ['held', 'refused', 'failed', 'invalid'].includes(state) ? render : null,
  ];
  return offered.some((each) => each !== null) ? h('p', { class: 'buttons' }, offered) : null;
}

/** @param {Shown} template */
function texts({ name, rendered, present, destination, access }) {
  if (access === 'token')
    return h('p', { class: 'none' }, 'Other users may not read its file: the API shows its text only with the token.');
  if (rendered == null) return h('p', { class: 'none' }, 'It has not been rendered yet.');
  if (present != null)
    return scroll(`What would change in ${destination}`, diffLines(present, rendered).map(showLine), 'diff');
  const cut =
    rendered.length > maxCharacters
      ? `\n… and ${(rendered.length - maxCharacters).toLocaleString()} more characters`
      : '';
  return scroll(`What ${name} was rendered to`, [rendered.slice(0, maxCharacters) + cut], 'text');
}

/**
 * @param {string} label
 * @param {readonly (string | HTMLElement)[]} content
 * @param {string} kind
 */
function scroll(label, content, kind) {
  return h(
    'pre',
    { class: `scroll ${kind}`, tabindex: '0', role: 'region', 'aria-label': label, 'data-focus': 'text' },
    content,
  );
}

/** @param {string} line Of a unified diff. */
function showLine(line) {
  const [side = '', text] = [line[0], line.slice(1)];
  if (side === '@') return h('span', { class: 'hunk' }, `${line}\n`);
  const tag = { '-': 'del', '+': 'ins' }[side] ?? 'span';
  return h(tag, {}, `${side} ${text}\n`);
}

/** @param {Shown} template */
function reads({ source, dependencies }) {
  const read = dependencies.length === 0 ? 'nothing from Consul' : dependencies.join(', ');
  return h('p', { class: 'quiet reads' }, 'From ', h('code', {}, source), `; reads ${read}.`);
}
