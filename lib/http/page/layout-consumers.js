/**
 * The right side of the topology's picture: which file points at which master, and which proxy uses the file.
 *
 * @import { Instance, Master, Template, TemplateText, World } from './api.d.ts'
 * @import { Box, Line } from './layout.js'
 *
 * @typedef {Template & Partial<TemplateText>} Shown
 * @typedef {{ template: Shown, proxies: readonly Instance[] }} Consumer
 * @typedef {{ boxes: Box[], lines: Line[], masters: readonly Master[], world: World, width: number }} Side
 */
import { formatPlace } from './address.js';
import { verdictOf } from './health.js';
import { serverId, sideShare, size, spread } from './layout-measures.js';
import { namesAddress, proxiesByTemplate } from './pointing.js';

/** Files that are drawn at most: those with problems come first, then those that point at a drawn master. */
const maxTemplates = 14;
const proxyInset = 16;

/**
 * Beside the masters, with a line from each that it points at.
 * @param {Side} side
 * @param {number} height
 * @returns {number} The height that they take.
 */
export function addConsumers(side, height) {
  const { world, masters, width } = side;
  const consumers = choose(world, masters);
  const others = proxiesByTemplate(world).get('') ?? [];
  const place = spread([...consumers.map(heightOf), ...others.map(() => size.proxy)], height);
  const column = { x: width - Math.round(width * sideShare), width: Math.round(width * sideShare) };
  for (const [index, consumer] of consumers.entries()) {
    addConsumer(side, { consumer, column, y: place.tops[index] ?? 0, note: consumer.template.state });
    for (const master of masters) addLine(side, master, consumer.template);
  }
  for (const [index, proxy] of others.entries())
    side.boxes.push(proxyBox(proxy, { column, y: place.tops[consumers.length + index] ?? 0, world }));
  return place.height;
}

/**
 * Below the masters, where there is no room beside them: what each points at is said instead of drawn.
 * @param {Side} side
 * @param {number} y
 * @returns {number} Where they end.
 */
export function addConsumersBelow(side, y) {
  const { world, masters, width } = side;
  const column = { x: 0, width };
  let next = y;
  for (const consumer of choose(world, masters)) {
    const names = masters.filter((master) => pointsAtMaster(consumer.template, master)).map(({ name }) => name);
    const note = names.length === 0 ? consumer.template.state : `${consumer.template.state} → ${names.join(', ')}`;
    addConsumer(side, { consumer, column, y: next, note });
    next += heightOf(consumer) + size.gap;
  }
  for (const proxy of proxiesByTemplate(world).get('') ?? []) {
    side.boxes.push(proxyBox(proxy, { column, y: next, world }));
    next += size.proxy + size.gap;
  }
  return next - size.gap;
}

/**
 * @param {World} world
 * @param {readonly Master[]} masters
 * @returns {readonly Consumer[]}
 */
function choose(world, masters) {
  const proxies = proxiesByTemplate(world);
  const rank = (/** @type {Shown} */ template) => {
    if (verdictOf(world, 'template', template.name).level !== 'well') return 0;
    return masters.some((master) => pointsAtMaster(template, master)) ? 1 : 2;
  };
  const all = [...world.templates.values()];
  const chosen = all.length <= maxTemplates ? all : all.toSorted((a, b) => rank(a) - rank(b)).slice(0, maxTemplates);
  return chosen.map((template) => ({ template, proxies: proxies.get(template.name) ?? [] }));
}

/** @param {Consumer} consumer */
function heightOf({ proxies }) {
  return size.template + proxies.length * (size.gap + size.proxy);
}

/**
 * @param {Side} side
 * @param {{ consumer: Consumer, column: { x: number, width: number }, y: number, note: string }} at
 */
function addConsumer({ boxes, lines, world }, { consumer, column, y, note }) {
  const { template, proxies } = consumer;
  const id = `template ${template.name}`;
  const { level } = verdictOf(world, 'template', template.name);
  boxes.push({ id, kind: 'template', ...column, y, height: size.template, level, title: template.name, note });
  let next = y + size.template;
  for (const proxy of proxies) {
    next += size.gap;
    const inset = { x: column.x + proxyInset, width: column.width - proxyInset };
    const box = proxyBox(proxy, { column: inset, y: next, world });
    boxes.push(box);
    lines.push({ id: `${id} ${box.id}`, from: id, to: box.id, kind: box.level === 'well' ? 'replicates' : 'broken' });
    next += size.proxy;
  }
}

/**
 * @param {Instance} proxy
 * @param {{ column: { x: number, width: number }, y: number, world: World }} at
 * @returns {Box}
 */
function proxyBox(proxy, { column, y, world }) {
  const { id, kind, check } = proxy;
  const note = `${kind}, ${check === null ? 'not checked yet' : check.status}`;
  const { level } = verdictOf(world, 'instance', id);
  return { id: `proxy ${id}`, kind: 'proxy', ...column, y, height: size.proxy, level, title: formatPlace(proxy), note };
}

/**
 * @param {Side} side
 * @param {Master} master
 * @param {Shown} template
 */
function addLine({ lines }, master, template) {
  const { name, record } = master;
  if (record === null) return;
  const to = `template ${template.name}`;
  const current = namesAddress(template, record.master);
  const named = current ? record.master : record.replicas.find((replica) => namesAddress(template, replica));
  if (named === undefined) return;
  lines.push({ id: `${to} ${name}`, from: serverId(name, named), to, kind: current ? 'moved' : 'differ' });
}

/**
 * @param {Shown} template
 * @param {Master} master
 */
function pointsAtMaster(template, { record }) {
  return record !== null && namesAddress(template, record.master);
}
