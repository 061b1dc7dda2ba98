/**
 * What all parts of the topology's picture share: sizes, names of boxes, and their vertical positions.
 *
 * @import { Address } from './api.d.ts'
 */
import { format } from './address.js';

export const size = {
  title: 20,
  master: 46,
  replica: 28,
  sentinel: 40,
  template: 40,
  proxy: 38,
  gap: 10,
  apart: 26,
  inset: 22,
};

/** Of the width, what the Sentinels and the consumers take at either side. */
export const sideShare = 0.23;

/**
 * @param {string} name
 * @param {Address} address
 */
export function serverId(name, address) {
  return `server ${name} ${format(address)}`;
}

/**
 * One below the other, spread over the height that there is.
 * @param {readonly number[]} heights
 * @param {number} height
 * @returns {{ tops: readonly number[], height: number }} What they take, which may be more.
 */
export function spread(heights, height) {
  const sum = heights.reduce((total, each) => total + each, 0);
  const spare = Math.max(0, height - sum);
  const gap = heights.length < 2 ? 0 : Math.min(Math.max(size.gap, spare / (heights.length - 1)), size.template * 1.4);
  const used = sum + gap * Math.max(0, heights.length - 1);
  let next = Math.max(0, (height - used) / 2);
  const tops = heights.map((each) => {
    const top = Math.round(next);
    next += each + gap;
    return top;
  });
  return { tops, height: Math.ceil(used) };
}
