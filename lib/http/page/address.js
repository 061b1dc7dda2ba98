/**
 * Addresses as text.
 *
 * @import { Address, Instance } from './api.d.ts'
 */

/**
 * @param {Address} address
 * @returns {string}
 */
export function format({ host, port }) {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Where this node connects to an instance.
 * @param {Pick<Instance, 'address' | 'socket'>} instance
 * @returns {string}
 */
export function formatPlace({ address, socket }) {
  return address === null ? (socket ?? '') : format(address);
}

/**
 * @param {Address | null | undefined} one
 * @param {Address | null | undefined} other
 */
export function same(one, other) {
  return one != null && other != null && one.host === other.host && one.port === other.port;
}
