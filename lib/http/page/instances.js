/**
 * What this node has registered of its own: Redis, Sentinels, cluster nodes and proxies, with their checks.
 *
 * @import { Instance, World } from './api.d.ts'
 */
import { arrange, byId, h, placeOf } from './dom.js';
import { format, judgeInstance, signs } from './judgement.js';

/** @param {World} world */
export function showInstances({ instances, filter }) {
  const wanted = instances.filter(({ id, name }) => `${id} ${name ?? ''}`.toLowerCase().includes(filter));
  byId('instances').hidden = wanted.length === 0;
  arrange(byId('instances-list'), wanted, {
    key: ({ id }) => id,
    signature: (instance) => JSON.stringify({ ...instance, seenAt: null }),
    build,
  });
}

/** @param {Instance} instance */
function build(instance) {
  const { id, kind, name, role, address, version } = instance;
  const { level, reasons } = judgeInstance(instance);
  const facts = [kind, name, role === 'unknown' ? null : role, version].filter((fact) => fact !== null);
  return h(
    'li',
    { class: 'instance', 'data-level': level, 'data-kind': kind, id: placeOf('instance', id) },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, signs[level]),
    h('span', { class: 'hidden' }, `${level}: `),
    h('span', { class: 'address' }, format(address)),
    h('span', {}, facts.join(' · ')),
    h('span', { class: 'quiet' }, reasons.join(' ')),
  );
}
