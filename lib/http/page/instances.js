/**
 * What this node has registered of its own: Redis, Sentinels, cluster nodes and proxies, with their checks.
 *
 * @import { Instance, Level, World } from './api.d.ts'
 */
import { formatPlace } from './address.js';
import { arrange, byId, h, placeOf } from './dom.js';
import { signs, verdictOf } from './health.js';

/** @param {World} world */
export function showInstances(world) {
  const { instances, filter } = world;
  const wanted = instances.filter(({ id, name }) => `${id} ${name ?? ''}`.toLowerCase().includes(filter));
  byId('instances').hidden = wanted.length === 0;
  arrange(byId('instances-list'), wanted, {
    key: ({ id }) => id,
    signature: (instance) => JSON.stringify([{ ...instance, seenAt: null }, levelOf(instance, world)]),
    build: (instance) => build(instance, levelOf(instance, world)),
  });
}

/**
 * @param {Instance} instance
 * @param {World} world
 */
function levelOf({ id }, world) {
  return verdictOf(world, 'instance', id).level;
}

/**
 * @param {Instance} instance
 * @param {Level} level
 */
function build({ id, kind, name, role, version, check, ...place }, level) {
  const facts = [kind, name, role === 'unknown' ? null : role, version].filter((fact) => fact !== null);
  return h(
    'li',
    { class: 'instance', 'data-level': level, 'data-kind': kind, id: placeOf('instance', id) },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    h('span', { class: 'address' }, formatPlace(place)),
    h('span', {}, facts.join(' · ')),
    h('span', { class: 'quiet' }, check?.output ?? 'It was not checked yet.'),
  );
}
