/**
 * Connects the parts of the page: the feed keeps the state, and each part shows its share of it, at most once a frame.
 *
 * @import { Entry, World } from './api.d.ts'
 */

import { tick } from './clock.js';
import { showClusters } from './clusters.js';
import { Decisions } from './decisions.js';
import { byId } from './dom.js';
import { Failovers } from './failovers.js';
import { Feed } from './feed.js';
import { followFragment } from './fragment.js';
import { showInstances } from './instances.js';
import { showLink } from './link.js';
import { Masters } from './masters.js';
import { measureMasthead } from './masthead.js';
import { showNode } from './node.js';
import { Orders } from './orders.js';
import { Picture } from './picture.js';
import { showTemplates } from './templates.js';
import { showVerdict, speak } from './verdict.js';

/** @type {World | undefined} */
let next;
/** @type {Entry[]} */
let fresh = [];

const feed = new Feed((world, entries) => {
  if (next === undefined) schedule();
  next = world;
  fresh.push(...entries);
});
const orders = new Orders({ world: () => feed.world, onDone: ({ kind, name }) => feed.want(kind, name) });
const masters = new Masters(orders);
const picture = new Picture(byId('picture-canvas'), () => show(feed.world, []));
const failovers = new Failovers(() => show(feed.world, []));
const decisions = new Decisions(() => show(feed.world, []));

/** After a view that took long, the page waits so many times that long: typing and scrolling stay smooth in a storm. */
const pause = 4;
let earliestMs = 0;

/** A hidden page gets no frames, but its title is visible. */
function schedule() {
  const waitMs = document.hidden ? 250 : earliestMs - performance.now();
  if (waitMs > 0) setTimeout(document.hidden ? showNext : () => requestAnimationFrame(showNext), waitMs);
  else requestAnimationFrame(showNext);
}

function showNext() {
  const [world, entries] = [next, fresh];
  next = undefined;
  fresh = [];
  const startedMs = performance.now();
  if (world !== undefined) show(world, entries);
  const endedMs = performance.now();
  earliestMs = endedMs + pause * (endedMs - startedMs);
}

/**
 * @param {World} world
 * @param {readonly Entry[]} entries
 */
function show(world, entries) {
  showLink(world);
  showNode(world);
  showVerdict(world);
  masters.show(world);
  picture.show(world);
  failovers.show(world);
  showTemplates(world, orders);
  showClusters(world);
  showInstances(world);
  decisions.show(world);
  orders.show(world);
  speak(entries, world);
  followOnce(world);
}

let isFollowed = false;

/** @param {World} world */
function followOnce({ link }) {
  if (isFollowed || link.kind !== 'live') return;
  isFollowed = true;
  follow();
}

const filter = /** @type {HTMLInputElement} */ (byId('filter'));

function readFilter() {
  feed.setFilter(filter.value.trim().toLowerCase());
}

const follow = followFragment((id) => {
  // What a link leads to is not filtered out.
  filter.value = '';
  readFilter();
  show(feed.world, []);
  masters.reveal(id);
});

filter.addEventListener('input', readFilter);
addEventListener('keydown', (event) => {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
  if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  filter.focus();
});
setInterval(() => {
  feed.check();
  tick();
  showLink(feed.world);
}, 1_000);
measureMasthead();
readFilter();
feed.start();
