/**
 * The node of this page, the parts that run on it, and the state of Consul and of the config.
 *
 * @import { World } from './api.d.ts'
 */
import { byId, say } from './dom.js';
import { levelOfAll, signs } from './health.js';

/** Every daemon has them. */
const always = new Set(['consul', 'api']);

/** @param {World} world */
export function showNode(world) {
  const { node } = world;
  say(byId('node'), node?.name ?? '');
  say(byId('parts'), node === undefined ? '' : node.parts.filter((part) => !always.has(part)).join(', '));
  say(byId('version'), node === undefined ? '' : `v${node.version}`);
  showState(world, { kind: 'consul', label: 'Consul' });
  showState(world, { kind: 'config', label: 'Config' });
}

/**
 * @param {World} world
 * @param {{ kind: 'consul' | 'config', label: string }} state
 */
function showState({ health, node }, { kind, label }) {
  const pill = byId(`${kind}-state`);
  pill.hidden = node === undefined;
  const reasons = health.reasons.filter(({ subject }) => subject.kind === kind);
  const level = levelOfAll(reasons);
  pill.dataset.level = level;
  say(pill, `${label} ${signs[level]}`);
  pill.title = reasons.map(({ text }) => text).join(' ') || `${label}: well`;
}
